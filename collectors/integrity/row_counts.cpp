// Rows of every table. They are counted exactly up to a size, and estimated by the planner above
// it, each under its own name. Limits, where configured, say how few rows there may be and how many
// may vanish.
#include <algorithm>
#include <array>
#include <set>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/walk.h"

namespace pg_integrity::row_counts {

namespace {

constexpr auto kRowsMin = gauge("pg_integrity_table_rows_min",
                                "Configured lower limit of table_rows.", "schema", "table");
constexpr auto kRows =
    gauge("pg_integrity_table_rows", "Rows counted exactly, as of the collector's last look.",
          at_least(kRowsMin).says(
              "{schema}.{table} has {value} {row|rows}, it must have at least {limit}."),
          "schema", "table");
constexpr auto kRowsEstimate =
    gauge("pg_integrity_table_rows_estimate",
          "The planner's estimate of rows, for tables above the size gate.", "schema", "table");
constexpr auto kDropRatioMax =
    gauge("pg_integrity_table_rows_drop_ratio_max",
          "Configured upper limit of table_rows_drop_ratio.", "schema", "table");
constexpr auto kDropRatio =
    gauge("pg_integrity_table_rows_drop_ratio",
          "Share of table_rows_drop_reference (0 to 1) that has vanished.",
          at_most(kDropRatioMax)
              .says("{value} of the rows of {schema}.{table} have vanished, at most {limit} may."),
          "schema", "table");
constexpr auto kDropReference =
    learned(gauge("pg_integrity_table_rows_drop_reference",
                  "The count that table_rows_drop_ratio refers to: the highest within "
                  "drop_window.",
                  "schema", "table"));
constexpr auto kDropReferenceTime =
    learned(gauge("pg_integrity_table_rows_drop_reference_timestamp_seconds",
                  "Since when drop_window runs, Unix time: the reference was last reached, or "
                  "the rows first were too few.",
                  "schema", "table"));
constexpr const MetricInfo* kMetrics[] = {
    &kRows,         &kRowsMin,       &kRowsEstimate,     &kDropRatio,
    &kDropRatioMax, &kDropReference, &kDropReferenceTime};

constexpr std::string_view kIdentity[] = {"schema", "table"};

constexpr Option kLimitOptions[] = {
    {.name = "database", .help = "where it applies; default: the database of the DSN"},
    {.name = "schema", .fallback = "public", .help = "schema of the table"},
    {.name = "table", .help = "the table", .required = true},
    {.name = "min_rows", .type = OptionType::number, .help = "fewer rows are a violation"},
    {.name = "max_drop",
     .type = OptionType::number,
     .help = "share of rows (0 to 1) that may vanish within drop_window",
     .max = 1},
    {.name = "drop_window",
     .type = OptionType::duration,
     .fallback = "24h",
     .help = "how long a high count is remembered; a drop counts for as long",
     .min = 60}};

constexpr Option kOptions[] = {{.name = "exact_up_to",
                                .type = OptionType::size,
                                .fallback = "1GiB",
                                .help = "tables with a larger heap are estimated, not counted"},
                               {.name = "limits",
                                .type = OptionType::records,
                                .help = "what the rows of single tables should be",
                                .members = kLimitOptions}};

struct Limit {
  QualifiedName table;
  std::optional<double> min_rows;
  std::optional<double> max_drop;
  Seconds drop_window{};
};

class RowCounts final : public Collector {
 public:
  explicit RowCounts(const Configuration& given) : exact_up_to_(given.own.number("exact_up_to")) {
    for (const Settings& record : given.own.records("limits"))
      limits_.push_back({{record.text("schema"), record.text("table")},
                         record.maybe_number("min_rows"),
                         record.maybe_number("max_drop"),
                         record.duration("drop_window")});
  }

  void declare(Batch& out) const override {
    for (const Limit& limit : limits_) {
      if (limit.min_rows) out.set(kRowsMin, *limit.min_rows, limit.table.schema, limit.table.name);
      if (limit.max_drop)
        out.set(kDropRatioMax, *limit.max_drop, limit.table.schema, limit.table.name);
    }
  }

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    if (from.position().empty()) out.excluded(schema->excluded_tables);
    Walk walk(from);
    return walk.each(
        "tables", schema->tables,
        [](const Table& table) { return walk_key(table.name.schema, table.name.name); },
        [&](const Table& table) {
          const std::array<std::string, 2> labels{table.name.schema, table.name.name};
          if (table.part_of_parent && limit_of(table.name) == nullptr) return;
          if (table.has_foreign_partition)
            out.excluded(1);
          else if (from.wants(labels))
            out.attempt(kRows, labels, [&] { look_at(from, table, out); });
        });
  }

 private:
  void look_at(Sources& from, const Table& table, Batch& out) const {
    const auto& [schema, name] = table.name;
    const Limit* limit = limit_of(table.name);
    if (heap_bytes(from.session(), table) > exact_up_to_) {
      if (table.estimated_rows) {
        out.set(kRowsEstimate, *table.estimated_rows, schema, name);
        out.weight(kRows, limit != nullptr, *table.estimated_rows, schema, name);
      }
      if (limit != nullptr)
        out.unproven(kRows, Reason::too_large,
                     "not counted: the table is above exact_up_to. HINT: raise it for this server",
                     schema, name);
      return;
    }
    const TableScan scan =
        from.scans().scan(from.session(), table, from.clock(), from.reusable_age());
    out.observed_at(scan.observed_at);
    out.set(kRows, scan.rows, schema, name);
    out.weight(kRows, limit != nullptr, scan.rows, schema, name);
    if (!table.heirs.empty())
      out.evidence(
          kRows,
          "with the rows of " + std::to_string(table.heirs.size()) + " tables that inherit from it",
          schema, name);
    if (limit != nullptr && limit->max_drop) {
      measure_drop(from, *limit, scan.rows, out);
      out.changes_by_itself();  // its window ends
    }
  }

  /// The reference is the highest count within the window. When too many rows are gone, the window
  /// begins anew, and again when as many go once more. So a drop stays a finding for a whole
  /// window. When the window ends, the count of the check before becomes the reference, so that
  /// rows that went since then still count. All of it is evidence and outlives this process.
  static void measure_drop(Sources& from, const Limit& limit, double rows, Batch& out) {
    const std::array<std::string, 2> labels{limit.table.schema, limit.table.name};
    const UnixTime now = from.clock().unix_now();
    const auto last_look = from.previous(kRows, labels);
    const double before = last_look ? last_look->value : rows;
    const UnixTime before_at = last_look ? from.clock().to_unix(last_look->observed_at) : now;
    const auto known = from.previous(kDropReference, labels);
    const auto known_since = from.previous(kDropReferenceTime, labels);
    double reference = known ? known->value : before;
    UnixTime since = known && known_since ? known_since->value : before_at;
    const auto forget_if_over = [&](UnixTime at) {
      if (at - since <= limit.drop_window.count()) return;
      reference = before;
      since = before_at;
    };
    const auto too_few = [&](double than, double count) {
      return share_gone(than, count) > *limit.max_drop;
    };
    forget_if_over(before_at);
    const bool dropped =
        too_few(reference, rows) && (!too_few(reference, before) || too_few(before, rows));
    if (!dropped) forget_if_over(now);
    if (dropped || rows >= reference) since = now;
    reference = std::max(reference, rows);
    out.set(kDropReference, reference, labels[0], labels[1]);
    out.set(kDropReferenceTime, since, labels[0], labels[1]);
    out.set(kDropRatio, share_gone(reference, rows), labels[0], labels[1]);
  }

  /// The share of rows that is missing, from 0 to 1; 0 if there are more than before.
  static double share_gone(double before, double now) {
    return before > now ? (before - now) / before : 0;
  }

  [[nodiscard]] const Limit* limit_of(const QualifiedName& table) const {
    const auto found = std::find_if(limits_.begin(), limits_.end(),
                                    [&](const Limit& limit) { return limit.table == table; });
    return found == limits_.end() ? nullptr : &*found;
  }

  double exact_up_to_;
  std::vector<Limit> limits_;
};

void check(const Configuration& given, Problems& problems) {
  std::set<std::array<std::string, 3>> seen;
  for (const Settings& record : given.own.records("limits")) {
    if (!record.has("min_rows") && !record.has("max_drop"))
      problems.add(record.place(), "this limit limits nothing", "give it min_rows or max_drop");
    if (!seen.insert(
                 {record.text_or_empty("database"), record.text("schema"), record.text("table")})
             .second)
      problems.add(record.place(), "table \"" + record.text("table") + "\" has a limit already",
                   "write min_rows and max_drop into one record");
  }
}

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<RowCounts>(given);
}

void add_reads(const Configuration& given, Session& /*session*/, const Schema& schema,
               Reads& reads) {
  for (const Table& table : schema.tables)
    if (!table.part_of_parent) reads.add(schema, table.name);
  for (const Settings& record : given.own.records("limits"))
    reads.add(schema, {record.text("schema"), record.text("table")});
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{.name = "row_counts",
                              .summary = "rows of every table, and limits to them",
                              .object_noun = "row count",
                              .report_section = "Database content",
                              .question = Question::intact,
                              .lane = Lane::scan,
                              .scope = Scope::database,
                              .depends_on = DependsOn::tables,
                              .interval = "5m",
                              .deadline = "60s",
                              .metrics = kMetrics,
                              .identity = kIdentity,
                              .options = kOptions,
                              .check = check,
                              .reads = add_reads,
                              .remembers_red = true,
                              .make = make};

}  // namespace pg_integrity::row_counts
