// The user's own queries. Each gives metrics whose names, labels and limits the configuration
// declares, by the rules that hold for all metrics. A query is one object. It is proven if every
// one of its series is as it should be.
#include <algorithm>
#include <set>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/metric_set.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/integrity/custom_config.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/walk.h"

namespace pg_integrity::custom {

namespace {

constexpr auto kRowsMin = gauge("pg_integrity_custom_query_rows_min",
                                "Configured lower limit of custom_query_rows.", kQueryLabel);
constexpr auto kRowsMax = gauge("pg_integrity_custom_query_rows_max",
                                "Configured upper limit of custom_query_rows.", kQueryLabel);
constexpr auto kRows =
    gauge("pg_integrity_custom_query_rows",
          "Rows that the query returned; 1001 stands for any more. Its own metrics are "
          "`pg_integrity_custom_NAME`, with the label `query` and those that are configured.",
          within(kRowsMin, kRowsMax)
              .says("The query {query} returned {value} {row|rows}, it must return {limit}."),
          kQueryLabel);

constexpr const MetricInfo* kMetrics[] = {&kRows, &kRowsMin, &kRowsMax};

constexpr char kWatched[] = "queries";

constexpr std::string_view kIdentity[] = {kQueryLabel};

constexpr std::size_t kLongestLabel = 200;  ///< bytes

constexpr Option kOptions[] = {{.name = "queries",
                                .type = OptionType::records,
                                .help = "the queries",
                                .members = kCustomQueryOptions}};

/// The label values of a row. NULL becomes an empty text, as in Prometheus.
std::vector<std::string> labels_of(const Row& row, const CustomQuery& query) {
  std::vector<std::string> labels{query.name};
  for (const std::string& column : query.labels) {
    labels.push_back(row.maybe_text(column).value_or(""));
    if (labels.back().size() > kLongestLabel)
      throw SourceError(Reason::decode, "a value of the label " + column + " is longer than " +
                                            std::to_string(kLongestLabel) + " bytes");
  }
  return labels;
}

class Custom final : public Collector {
 public:
  explicit Custom(const Settings& settings)
      : metrics_(std::make_shared<MetricSet>()), queries_(custom_queries(settings, *metrics_)) {}

  [[nodiscard]] std::shared_ptr<const MetricSet> own_metrics() const override { return metrics_; }

  void declare(Batch& out) const override {
    for (const CustomQuery& query : queries_) {
      if (query.min_rows) out.set(kRowsMin, *query.min_rows, query.name);
      if (query.max_rows) out.set(kRowsMax, *query.max_rows, query.name);
      for (const CustomMetric& metric : query.metrics) {
        const Expectation& expectation = metric.info->expectation;
        if (metric.at_most) out.set(*expectation.upper, *metric.at_most, {query.name});
        if (metric.at_least) out.set(*expectation.lower, *metric.at_least, {query.name});
      }
    }
  }

  Progress collect(Sources& from, Batch& out) override {
    return Walk(from, Walk::Pace::singly)
        .each(
            "queries", queries_, [](const CustomQuery& query) { return query.name; },
            [&](const CustomQuery& query) {
              const std::array<std::string, 1> labels{query.name};
              if (!from.wants(labels)) return;
              out.attempt(kRows, labels, [&] { run(from.session(), query, out); });
              out.weight(kRows, true, 0, query.name);
            });
  }

 private:
  static void run(Session& session, const CustomQuery& query, Batch& out) {
    const Rows rows = session.probe(query.sql, kMaxCustomRows + 1);
    out.set(kRows, static_cast<double>(rows.size()), query.name);
    if (rows.size() > kMaxCustomRows) {
      out.unproven(kRows, Reason::too_large,
                   "the query returns more than " + std::to_string(kMaxCustomRows) +
                       " rows. HINT: let it add them up",
                   query.name);
      return;
    }
    if (query.metrics.empty()) return;
    std::set<std::vector<std::string>> seen;
    std::set<std::string_view> given;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::vector<std::string> labels = labels_of(rows[i], query);
      if (!seen.insert(labels).second)
        throw SourceError(Reason::conflict,
                          "two rows of the query have the same labels. HINT: group by them");
      for (const CustomMetric& metric : query.metrics)
        if (const auto value = value_of(rows[i], metric)) {
          out.set(*metric.info, *value, labels);
          given.insert(metric.info->name);
        }
    }
    if (rows.size() > 0 || !query.min_rows) require_judged(query, given, out);
  }

  static std::optional<double> value_of(const Row& row, const CustomMetric& metric) {
    if (metric.null_is_absent) return row.maybe_number(metric.column);
    return row.number(metric.column);
  }

  /// A metric that should be something and has no series proves nothing, so the query is unproven.
  static void require_judged(const CustomQuery& query, const std::set<std::string_view>& given,
                             Batch& out) {
    for (const CustomMetric& metric : query.metrics)
      if (!metric.info->expectation.none() && !given.contains(metric.info->name))
        out.unproven(kRows, Reason::missing,
                     "the query gives no value of " + std::string(metric.info->name) +
                         ". HINT: count(*) always gives one; min_rows = 0 if no row is as it"
                         " should be",
                     query.name);
  }

  std::shared_ptr<MetricSet> metrics_;
  std::vector<CustomQuery> queries_;
};

void check(const Configuration& given, Problems& problems) {
  std::vector<std::string_view> reserved;
  for (const MetricInfo* metric : kMetrics) reserved.push_back(metric->name);
  check_custom(given.own, reserved, problems);
}

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Custom>(given.own);
}

void add_reads(const Configuration& given, Session& session, const Schema& /*schema*/,
               Reads& reads) {
  for (const Settings& record : given.own.records("queries"))
    reads.add_query(session, record.text("sql"));
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "custom",
    .summary = "metrics by queries of your own, against limits of your own",
    .object_noun = "own check",
    .report_section = "Your own checks",
    .question = Question::intact,
    .lane = Lane::scan,
    .scope = Scope::database,
    .depends_on = DependsOn::tables | DependsOn::time,
    .interval = "5m",
    .deadline = "30s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .wanted = has_records<kWatched>,
    .wanted_hint = "write a query and its metrics: [[server.collectors.custom.queries]]",
    .wanted_snippet = R"([[server.collectors.custom.queries]]
name = "paid-without-invoice"
sql = "SELECT id FROM public.orders WHERE paid AND invoice IS NULL"
max_rows = 0)",
    .check = check,
    .reads = add_reads,
    .make = make};

}  // namespace pg_integrity::custom
