// The last entry of tables: when the newest row was written, how old that may be, and rows that
// claim to be from the future. The time column is configured, or has one of the usual names. The
// zone of a column that has none is never guessed.
#include <algorithm>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/entry_column.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/walk.h"

namespace pg_integrity::freshness {

namespace {

constexpr auto kLastEntry = past_event(
    gauge("pg_integrity_table_last_entry_timestamp_seconds",
          "Time of the newest row that is not from the future, Unix time; absent if there is none.",
          "schema", "table", "column"));
constexpr auto kMaxAge =
    gauge("pg_integrity_table_last_entry_max_age_seconds",
          "Configured upper limit of table_last_entry_age_seconds.", "schema", "table", "column");
constexpr auto kAge =
    age("pg_integrity_table_last_entry_age_seconds",
        "Time since the newest row, for tables that are configured; absent if there is none.",
        at_most(kMaxAge).says("The newest row of {schema}.{table} is {value} old by its {column}, "
                              "it may be {limit} old."),
        "schema", "table", "column");
constexpr auto kCreatedToday =
    gauge("pg_integrity_table_rows_created_today",
          "Rows since midnight in the configured zone. None may be normal: it is not judged.",
          "schema", "table", "column");
constexpr auto kFutureRows =
    gauge("pg_integrity_table_future_rows",
          "Rows whose time is later than the database's clock by more than a minute; of tables "
          "above exact_up_to a lower bound: 1 if there are any.",
          must_be(0).says("{value} {row|rows} of {schema}.{table} {has|have} a {column} later than "
                          "the database's clock."),
          "schema", "table", "column");
constexpr auto kUndatedRows = gauge("pg_integrity_table_undated_rows",
                                    "Rows whose time is NULL or infinite; absent where there are "
                                    "none and the table is not configured, and above exact_up_to.",
                                    "schema", "table", "column");

constexpr const MetricInfo* kMetrics[] = {&kLastEntry,    &kAge,        &kMaxAge,
                                          &kCreatedToday, &kFutureRows, &kUndatedRows};

constexpr std::string_view kIdentity[] = {"schema", "table", "column"};

constexpr Option kTableOptions[] = {
    {.name = "database", .help = "where it applies; default: the database of the DSN"},
    {.name = "schema", .fallback = "public", .help = "schema of the table"},
    {.name = "table", .help = "the table", .required = true},
    {.name = "column", .help = "the column that says when a row was written", .required = true},
    {.name = "zone",
     .type = OptionType::zone,
     .help = "IANA zone of the column, if it has none of its own, and of today; default: the"
             " collector's"},
    {.name = "max_age",
     .type = OptionType::duration,
     .help = "how long the table may be quiet; without it quiet is normal",
     .min = 60}};

constexpr Option kOptions[] = {
    {.name = "exact_up_to",
     .type = OptionType::size,
     .fallback = "1GiB",
     .help = "of tables with a larger heap only the last entry is read, through an index on the"
             " column"},
    {.name = "zone",
     .type = OptionType::zone,
     .help = "IANA zone in which rows of today are counted and columns without a zone of their own"
             " are read; without it neither is done"},
    {.name = "tables",
     .type = OptionType::records,
     .help = "tables whose last entry is judged, or not in the column that is discovered",
     .members = kTableOptions}};

struct Watched {
  ScanWish wish;
  std::optional<Seconds> max_age;
  bool configured = false;
};

class Freshness final : public Collector {
 public:
  Freshness(const Settings& settings, ScanPlan& plan)
      : exact_up_to_(settings.number("exact_up_to")), zone_(settings.text_or_empty("zone")) {
    for (const Settings& record : settings.records("tables")) {
      const std::string own = record.text_or_empty("zone");
      Watched watched{{{record.text("schema"), record.text("table")},
                       record.text("column"),
                       own.empty() ? zone_ : own,
                       Seconds(0),
                       true},
                      record.maybe_duration("max_age"),
                      true};
      plan.add(watched.wish);
      configured_.push_back(std::move(watched));
    }
    std::sort(configured_.begin(), configured_.end(),
              [](const Watched& a, const Watched& b) { return a.wish < b.wish; });
    // The plan may outlive this collector's settings, so the function keeps copies of them.
    plan.add([zone = zone_, configured = configured_](const Table& table) {
      return discovered_wish(table, zone, configured);
    });
  }

  void declare(Batch& out) const override {
    for (const Watched& watched : configured_)
      if (watched.max_age) {
        const auto of = labels(watched);
        out.set(kMaxAge, watched.max_age->count(), of);
      }
  }

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    Walk walk(from);
    if (walk.each(
            "configured", configured_,
            [](const Watched& w) {
              return walk_key(w.wish.table.schema, w.wish.table.name, w.wish.time_column);
            },
            [&](const Watched& watched) { look_at(from, *schema, watched, out); }) ==
        Progress::more)
      return Progress::more;
    return walk.each(
        "discovered", schema->tables,
        [](const Table& table) { return walk_key(table.name.schema, table.name.name); },
        [&](const Table& table) {
          if (const auto wish = discovered_wish(table, zone_, configured_))
            look_at(from, *schema, {*wish, std::nullopt, false}, out);
          else if (!is_configured(table, configured_) && !table.part_of_parent &&
                   entry_column(table) != nullptr)
            out.excluded(1);  // its zone is not known
        });
  }

 private:
  static std::array<std::string, 3> labels(const Watched& watched) {
    return {watched.wish.table.schema, watched.wish.table.name, watched.wish.time_column};
  }

  static bool is_configured(const Table& table, const std::vector<Watched>& configured) {
    return std::any_of(configured.begin(), configured.end(),
                       [&](const Watched& w) { return w.wish.table == table.name; });
  }

  static std::optional<ScanWish> discovered_wish(const Table& table, const std::string& zone,
                                                 const std::vector<Watched>& configured) {
    if (is_configured(table, configured) || table.has_foreign_partition || table.part_of_parent)
      return std::nullopt;
    const Column* column = entry_column(table);
    if (column == nullptr || (lacks_zone(*column) && zone.empty())) return std::nullopt;
    return ScanWish{table.name, column->name, zone, Seconds(0), true};
  }

  void look_at(Sources& from, const Schema& schema, const Watched& watched, Batch& out) const {
    if (!from.wants(labels(watched))) return;
    out.attempt(kLastEntry, labels(watched), [&] {
      const Table* table = schema.table(watched.wish.table);
      if (table == nullptr)
        throw SourceError(Reason::missing,
                          "table " + watched.wish.table.display() + " does not exist");
      if (table->has_foreign_partition)
        throw SourceError(Reason::config, "a partition of the table is on another server");
      if (heap_bytes(from.session(), *table) <= exact_up_to_)
        look_at_all(from, *table, watched, out);
      else
        look_at_newest(from, *table, watched, out);
    });
  }

  static void look_at_all(Sources& from, const Table& table, const Watched& watched, Batch& out) {
    const TableScan scan =
        from.scans().scan(from.session(), table, from.clock(), from.reusable_age());
    const TimeFacts& facts = scan.times(watched.wish);
    const auto of = labels(watched);
    out.observed_at(scan.observed_at);
    out.weight(kLastEntry, watched.configured, scan.rows, of);
    out.set(kFutureRows, facts.future_rows, of);
    if (facts.future_rows > 0 || facts.rows_today) out.changes_by_itself();
    if (facts.rows_today) out.set(kCreatedToday, *facts.rows_today, of);
    if (watched.configured || facts.undated_rows > 0) out.set(kUndatedRows, facts.undated_rows, of);
    if (facts.newest)
      show_newest(watched, facts, out);
    else
      explain_absence(watched, scan.rows, facts, out);
  }

  static void look_at_newest(Sources& from, const Table& table, const Watched& watched,
                             Batch& out) {
    const Column* column = table.column(watched.wish.time_column);
    if (column == nullptr || !column->leads_index) {
      if (!watched.configured) return;
      throw SourceError(Reason::too_large,
                        "the table is above exact_up_to and no index leads with " +
                            watched.wish.time_column + ". HINT: create one, or raise exact_up_to");
    }
    ScanWish wish = watched.wish;
    wish.calendar = false;
    const TableScan scan = from.scans().recent(from.session(), table, from.clock(), wish);
    out.observed_at(scan.observed_at);
    const TimeFacts& facts = scan.times(wish);
    const auto of = labels(watched);
    // An index may lack rows. It proves that there are rows of the future, not that there are none.
    if (facts.future_rows > 0) {
      out.set(kFutureRows, facts.future_rows, of);
      out.changes_by_itself();
    }
    out.evidence(kLastEntry, "read through an index, which may lack newer entries", of);
    if (facts.newest)
      show_newest(watched, facts, out);
    else  // all its rows are undated or of the future
      explain_absence(watched, facts.undated_rows + facts.future_rows, facts, out);
  }

  static void show_newest(const Watched& watched, const TimeFacts& facts, Batch& out) {
    const auto of = labels(watched);
    out.set(kLastEntry, *facts.newest, of);
    if (watched.configured) out.set_age(kAge, facts.newest_age, of);
  }

  /// There is no last entry, and hence no age. The reason makes the table unproven if `max_age` is
  /// configured, otherwise it is evidence.
  static void explain_absence(const Watched& watched, double rows, const TimeFacts& facts,
                              Batch& out) {
    const auto of = labels(watched);
    const std::string text = rows == 0                ? "the table is empty"
                             : facts.future_rows == 0 ? "none of its rows has a time"
                                                      : "all its times lie in the future";
    const Reason reason = rows == 0                ? Reason::missing
                          : facts.future_rows == 0 ? Reason::decode
                                                   : Reason::clock;
    if (watched.max_age)
      out.unproven(kLastEntry, reason, text, of);
    else
      out.evidence(kLastEntry, text, of);
  }

  double exact_up_to_;
  std::string zone_;
  std::vector<Watched> configured_;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& plan) {
  return std::make_unique<Freshness>(given.own, plan);
}

void add_reads(const Configuration& given, Session& /*session*/, const Schema& schema,
               Reads& reads) {
  ScanPlan plan;
  make(given, plan);
  plan.add_reads(schema, reads);
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "freshness",
    .summary = "the last entry of tables, how old it may be, and rows from the future",
    .object_noun = "time column",
    .report_section = "Freshness",
    .question = Question::intact,
    .lane = Lane::scan,
    .scope = Scope::database,
    .depends_on = DependsOn::tables,
    .interval = "5m",
    .deadline = "60s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .reads = add_reads,
    .remembers_red = true,
    .make = make};

}  // namespace pg_integrity::freshness
