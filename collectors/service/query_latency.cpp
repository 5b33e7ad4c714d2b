// Query latency: named probe queries, timed at our end without BEGIN and COMMIT. One slow answer is
// no finding. If an objective is configured, the share of slow runs among the last 20 is judged.
#include <algorithm>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/service/slow_runs.h"

namespace pg_integrity::query_latency {

namespace {

constexpr std::size_t kMaxRows = 10000;

constexpr auto kLastDuration = gauge("pg_integrity_query_last_duration_seconds",
                                     "How long the newest successful run took.", "query");
constexpr auto kObjective =
    gauge("pg_integrity_query_objective_seconds",
          "Configured objective: a run that takes longer, or times out, is slow.", "query");
constexpr auto kSlowRatioMax = gauge("pg_integrity_query_slow_ratio_max",
                                     "Configured upper limit of query_slow_ratio.", "query");
constexpr auto kSlowRatio = gauge(
    "pg_integrity_query_slow_ratio",
    "Slow runs among the last 20 (0 to 1); runs not yet made count as fast.",
    at_most(kSlowRatioMax)
        .says("{value} of the last 20 runs of {query} were too slow, at most {limit} may be."),
    "query");
constexpr auto kDuration =
    histogram("pg_integrity_query_duration_seconds",
              "Durations of successful runs; one bucket ends at the objective.", "query");
constexpr auto kFailures =
    counter("pg_integrity_query_failures_total", "Runs that failed, by reason.", "query", "reason");

constexpr const MetricInfo* kMetrics[] = {&kLastDuration, &kObjective, &kSlowRatio,
                                          &kSlowRatioMax, &kDuration,  &kFailures};

constexpr std::string_view kIdentity[] = {"query"};

constexpr Option kQueryOptions[] = {
    {.name = "name", .help = "label `query`; unique in the database", .required = true},
    {.name = "database", .help = "where it runs; default: the database of the DSN"},
    {.name = "sql",
     .help = "one SELECT statement with schema-qualified names; read through a cursor, 10,000 rows "
             "at most",
     .required = true},
    {.name = "objective",
     .type = OptionType::duration,
     .help = "a longer run is slow; without it the query is observed, not judged",
     .min = 0.0001}};

constexpr Option kOptions[] = {
    {.name = "queries",
     .type = OptionType::records,
     .help =
         "the probes; default: `select_1` and `indexed_read` (one row of the catalog by its key)",
     .members = kQueryOptions},
    {.name = "slow_ratio_max",
     .type = OptionType::number,
     .fallback = "0.1",
     .help = "share of slow runs among the last 20 that is still good",
     .max = 1}};

struct Query {
  std::string name;
  std::string sql;
  std::optional<Seconds> objective;
  SlowRuns slow = {};
};

class QueryLatency final : public Collector {
 public:
  explicit QueryLatency(const Settings& settings)
      : slow_ratio_max_(settings.number("slow_ratio_max")) {
    for (const Settings& record : settings.records("queries"))
      queries_.push_back(
          {record.text("name"), record.text("sql"), record.maybe_duration("objective")});
    if (queries_.empty()) {
      queries_.push_back({"select_1", "SELECT 1", {}});
      queries_.push_back({"indexed_read",
                          "SELECT relname FROM pg_catalog.pg_class"
                          " WHERE oid = 'pg_catalog.pg_class'::pg_catalog.regclass",
                          {}});
    }
  }

  void declare(Batch& out) const override {
    for (const Query& query : queries_) {
      out.buckets(kDuration, bounds(query), query.name);
      for (const Reason reason : {Reason::timeout, Reason::connect, Reason::server})
        out.count(kFailures, 0, query.name, std::string(name_of(reason)));
      if (!query.objective) continue;
      out.set(kObjective, query.objective->count(), query.name);
      out.set(kSlowRatioMax, slow_ratio_max_, query.name);
    }
  }

  Progress collect(Sources& from, Batch& out) override {
    for (Query& query : queries_) {
      const std::array<std::string, 1> labels{query.name};
      out.weight(kLastDuration, true, 0, query.name);
      query.slow.begin(from.previous(kSlowRatio, labels));
      out.attempt(kLastDuration, labels, [&] { run(from, query, out); });
      if (!query.objective || !query.slow.ran()) continue;
      out.set(kSlowRatio, query.slow.ratio(), query.name);
      query.slow.end(out.samples().back().observed_at);
    }
    return Progress::done;
  }

 private:
  static std::vector<double> bounds(const Query& query) {
    std::vector<double> bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                               0.25,  0.5,    1,     2.5,  5,     10};
    if (query.objective) bounds.push_back(query.objective->count());
    std::sort(bounds.begin(), bounds.end());
    bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
    return bounds;
  }

  static void run(Sources& from, Query& query, Batch& out) {
    bool asked = false;
    try {
      Session& session = from.session();
      asked = true;
      const Seconds took = session.probe(query.sql, kMaxRows).elapsed();
      out.observe(kDuration, took.count(), query.name);
      out.set(kLastDuration, took.count(), query.name);
      query.slow.remember(query.objective && took > *query.objective);
    } catch (const SourceError& error) {
      out.count(kFailures, 1, query.name, std::string(name_of(error.reason())));
      // A server that cannot be reached is down, not slow.
      if (asked && error.reason() == Reason::timeout) query.slow.remember(true);
      throw;
    }
  }

  double slow_ratio_max_;
  std::vector<Query> queries_;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<QueryLatency>(given.own);
}

void add_reads(const Configuration& given, Session& session, const Schema& /*schema*/,
               Reads& reads) {
  for (const Settings& record : given.own.records("queries"))
    reads.add_query(session, record.text("sql"));
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{.name = "query_latency",
                              .summary = "duration of named probe queries against their objective",
                              .object_noun = "probe",
                              .report_section = "Performance",
                              .question = Question::service,
                              .lane = Lane::quick,
                              .scope = Scope::database,
                              .depends_on = DependsOn::tables | DependsOn::time,
                              .interval = "1m",
                              .deadline = "10s",
                              .metrics = kMetrics,
                              .identity = kIdentity,
                              .options = kOptions,
                              .reads = add_reads,
                              .make = make};

}  // namespace pg_integrity::query_latency
