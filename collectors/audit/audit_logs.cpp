// Audit logs: tables that get a row when something happens (a delete, a connection). The collector
// reports their rows, the rows of a recent window with limits to them, and the last entry. Logs
// cannot be discovered, so they are configured.
#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"

namespace pg_integrity::audit_logs {

namespace {

constexpr auto kRows = gauge("pg_integrity_audit_log_rows",
                             "Rows of the log, as of the collector's last look.", "log");
constexpr auto kRecentMax = gauge("pg_integrity_audit_log_recent_rows_max",
                                  "Configured upper limit of audit_log_recent_rows.", "log");
constexpr auto kRecentMin = gauge("pg_integrity_audit_log_recent_rows_min",
                                  "Configured lower limit of audit_log_recent_rows.", "log");
constexpr auto kRecent =
    gauge("pg_integrity_audit_log_recent_rows", "Rows of the log within audit_log_window_seconds.",
          within(kRecentMin, kRecentMax)
              .says("The log {log} has {value} recent {row|rows}, it should have {limit}."),
          "log");
constexpr auto kWindow = gauge("pg_integrity_audit_log_window_seconds",
                               "How far back audit_log_recent_rows reaches.", "log");
constexpr auto kLastEntry = past_event(
    gauge("pg_integrity_audit_log_last_entry_timestamp_seconds",
          "Time of the newest row of the log, Unix time; absent while it is empty.", "log"));

constexpr const MetricInfo* kMetrics[] = {&kRows,      &kRecent, &kRecentMin,
                                          &kRecentMax, &kWindow, &kLastEntry};

constexpr char kWatched[] = "logs";

constexpr std::string_view kIdentity[] = {"log"};

constexpr Option kLogOptions[] = {
    {.name = "name", .help = "label `log`; unique in the database", .required = true},
    {.name = "database", .help = "where it is; default: the database of the DSN"},
    {.name = "schema", .fallback = "public", .help = "schema of the table"},
    {.name = "table", .help = "the table", .required = true},
    {.name = "time", .help = "the column that says when a row was written", .required = true},
    {.name = "zone",
     .type = OptionType::zone,
     .help = "IANA zone of that column, if it has none of its own"},
    {.name = "window",
     .type = OptionType::duration,
     .fallback = "24h",
     .help = "how far back an entry is recent",
     .min = 60,
     .max = 400.0 * 86400},
    {.name = "max_recent",
     .type = OptionType::number,
     .help = "more recent rows are a violation; 0: the log must stay empty"},
    {.name = "min_recent",
     .type = OptionType::number,
     .help = "fewer recent rows are a violation: the log must not fall silent"}};

constexpr Option kOptions[] = {
    {.name = "exact_up_to",
     .type = OptionType::size,
     .fallback = "1GiB",
     .help = "of logs with a larger heap only the window is read, through an index on `time`"},
    {.name = "logs",
     .type = OptionType::records,
     .help = "the tables that are logs",
     .members = kLogOptions}};

struct Log {
  std::string name;
  ScanWish wish;
  std::optional<double> max_recent;
  std::optional<double> min_recent;
};

class AuditLogs final : public Collector {
 public:
  AuditLogs(const Settings& settings, ScanPlan& plan)
      : exact_up_to_(settings.number("exact_up_to")) {
    for (const Settings& record : settings.records("logs")) {
      Log log{record.text("name"),
              {{record.text("schema"), record.text("table")},
               record.text("time"),
               record.text_or_empty("zone"),
               record.duration("window")},
              record.maybe_number("max_recent"),
              record.maybe_number("min_recent")};
      plan.add(log.wish);
      logs_.push_back(std::move(log));
    }
  }

  void declare(Batch& out) const override {
    for (const Log& log : logs_) {
      out.set(kWindow, log.wish.window.count(), log.name);
      if (log.max_recent) out.set(kRecentMax, *log.max_recent, log.name);
      if (log.min_recent) out.set(kRecentMin, *log.min_recent, log.name);
    }
  }

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    for (const Log& log : logs_) {
      const std::array<std::string, 1> labels{log.name};
      if (!from.wants(labels)) continue;
      out.weight(kRows, true, 0, log.name);
      out.attempt(kRows, labels, [&] { look_at(from, *schema, log, out); });
    }
    return Progress::done;
  }

 private:
  void look_at(Sources& from, const Schema& schema, const Log& log, Batch& out) const {
    const Table* table = schema.table(log.wish.table);
    if (table == nullptr)
      throw SourceError(Reason::missing, "table " + log.wish.table.display() +
                                             " does not exist. HINT: correct the log " + log.name);
    const Column* time = table->column(log.wish.time_column);
    const bool whole = heap_bytes(from.session(), *table) <= exact_up_to_;
    if (!whole && (time == nullptr || !time->leads_index))
      throw SourceError(Reason::too_large,
                        "the table is above exact_up_to and no index leads with " +
                            log.wish.time_column + ". HINT: create one, or raise exact_up_to");
    const TableScan scan =
        whole ? from.scans().scan(from.session(), *table, from.clock(), from.reusable_age())
              : from.scans().recent(from.session(), *table, from.clock(), log.wish);
    const TimeFacts& facts = scan.times(log.wish);
    out.observed_at(scan.observed_at);
    if (whole) out.set(kRows, scan.rows, log.name);
    out.set(kRecent, facts.recent_rows, log.name);
    if (facts.newest) out.set(kLastEntry, *facts.newest, log.name);
    out.evidence(kRows, "table " + log.wish.table.display(), log.name);
    const double undated = facts.undated_rows + facts.future_rows;
    if (undated > 0) report_undated(log, undated, out);
  }

  /// A writer of the log may also choose its times. A row that cannot be dated may be a recent one.
  /// So an upper limit that is kept without such rows is not proven. A lower limit that is kept
  /// stays so with any further row.
  static void report_undated(const Log& log, double rows, Batch& out) {
    const std::string what = "rows whose time is missing, infinite or in the future";
    out.evidence(kRows, what + " are not counted as recent", log.name);
    if (log.max_recent)
      out.unproven(kRecent, Reason::clock,
                   what + ", at least " + std::to_string(static_cast<long long>(rows)) +
                       ": they may be recent. HINT: correct them, or `zone`",
                   log.name);
  }

  double exact_up_to_;
  std::vector<Log> logs_;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& plan) {
  return std::make_unique<AuditLogs>(given.own, plan);
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
    .name = "audit_logs",
    .summary = "rows, recent rows and last entry of configured log tables",
    .object_noun = "audit log",
    .report_section = "Audit and protection",
    .question = Question::intact,
    .lane = Lane::scan,
    .scope = Scope::database,
    .depends_on = DependsOn::tables | DependsOn::time,
    .interval = "5m",
    .deadline = "60s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .wanted = has_records<kWatched>,
    .wanted_hint = "name the tables that are audit logs: [[server.collectors.audit_logs.logs]]",
    .wanted_snippet = R"([[server.collectors.audit_logs.logs]]
name = "deletions"
table = "deletions"
time = "deleted_at"
min_recent = 1)",
    .reads = add_reads,
    .make = make};

}  // namespace pg_integrity::audit_logs
