// The write-ahead log on its way out: whether the archiver works, what waits for it, how far
// standbys have come, and what replication slots hold back.
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
#include "collectors/postgres/wal_positions.h"

namespace pg_integrity::wal {

namespace {

constexpr auto kFailing = gauge("pg_integrity_wal_archive_failing",
                                "1 while the archiver's newest attempts failed; only where the"
                                " server archives.",
                                must_be(0).says("The server fails to archive its log."));
constexpr auto kFailures =
    gauge("pg_integrity_wal_archive_failures",
          "Attempts to archive a WAL segment that failed, since statistics were reset.");
constexpr auto kArchiveMaxAge = gauge("pg_integrity_wal_archive_max_age_seconds",
                                      "Configured upper limit of wal_archive_age_seconds.");
constexpr auto kArchiveAge = age(
    "pg_integrity_wal_archive_age_seconds", "Seconds since a WAL segment was archived.",
    at_most(kArchiveMaxAge)
        .says(
            "The server archived its newest log segment {value} ago, at most {limit} is allowed."));
constexpr auto kReadyMax =
    gauge("pg_integrity_wal_ready_files_max", "Configured upper limit of wal_ready_files.");
constexpr auto kReady = gauge(
    "pg_integrity_wal_ready_files", "WAL segments and the like that wait for the archiver.",
    at_most(kReadyMax).says(
        "{value} {log segment waits|log segments wait} for the archiver, at most {limit} may."));
constexpr auto kLagMax = gauge("pg_integrity_standby_lag_max_seconds",
                               "Configured upper limit of standby_lag_seconds.", "standby");
constexpr auto kLag = gauge(
    "pg_integrity_standby_lag_seconds",
    "How long ago the server was where the standby is now, as the server sees it; 0 if the"
    " standby has all.",
    at_most(kLagMax).says("The standby {standby} is {value} behind, it may be {limit} behind."),
    "standby");
constexpr auto kLagBytes = gauge(
    "pg_integrity_standby_lag_bytes",
    "WAL that the standby has not replayed (or, if it replays none, not flushed) yet.", "standby");
constexpr auto kRetainedMax = gauge("pg_integrity_slot_retained_max_bytes",
                                    "Configured upper limit of slot_retained_bytes.", "slot");
constexpr auto kRetained = gauge(
    "pg_integrity_slot_retained_bytes",
    "WAL that the server keeps for the sake of a replication slot.",
    at_most(kRetainedMax)
        .says("The server keeps {value} of its log for the slot {slot}, it may keep {limit}."),
    "slot");

constexpr auto kSlotLost = gauge(
    "pg_integrity_slot_lost",
    "1 if the replication slot is lost: the server has removed log or rows that its reader still"
    " needs.",
    must_be(0).says("The replication slot {slot} is lost, so that its standby or subscriber cannot"
                    " go on."),
    "slot");

constexpr const MetricInfo* kMetrics[] = {&kFailing,  &kFailures, &kArchiveAge,  &kArchiveMaxAge,
                                          &kReady,    &kReadyMax, &kLag,         &kLagMax,
                                          &kLagBytes, &kRetained, &kRetainedMax, &kSlotLost};

constexpr std::string_view kIdentity[] = {"standby", "slot"};

constexpr Option kOptions[] = {
    {.name = "archive_max_age",
     .type = OptionType::duration,
     .help = "how long ago the last segment may have been archived; an idle server archives none",
     .min = 1},
    {.name = "max_ready",
     .type = OptionType::integer,
     .help = "more segments that wait for the archiver are a violation"},
    {.name = "standbys",
     .type = OptionType::texts,
     .help = "application_name of standbys that must be connected"},
    {.name = "max_lag",
     .type = OptionType::duration,
     .help = "how far those standbys may be behind",
     .min = 1},
    {.name = "max_retained",
     .type = OptionType::size,
     .help = "more WAL that is kept for a replication slot is a violation"}};

constexpr std::string_view kArchiver = R"(
SELECT current_setting('archive_mode') = 'always'
    OR (current_setting('archive_mode') = 'on' AND NOT pg_is_in_recovery()) AS archiving,
  failed_count AS failures, extract(epoch FROM now() - last_archived_time) AS archived_age,
  coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) AS failing
FROM pg_stat_archiver)";

constexpr std::string_view kMayList = R"(
SELECT coalesce(has_function_privilege(
  to_regprocedure('pg_catalog.pg_ls_archive_statusdir()')::oid, 'EXECUTE'), false) AS may)";

constexpr std::string_view kReadyFiles =
    "SELECT count(*) AS ready FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'";

constexpr std::string_view kEnd = R"(
SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
  ELSE pg_current_wal_lsn() END, '0/0')::float8 AS log_end)";

// A role that may not see other roles' sessions gets no state. A base backup is no standby.
constexpr std::string_view kStandbys = R"(
SELECT application_name AS standby, bool_or(state IS NULL) AS hidden,
  min(pg_wal_lsn_diff(coalesce(replay_lsn, flush_lsn), '0/0'))::float8 AS position
FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup' GROUP BY 1 ORDER BY 1 LIMIT 1000)";

/// A lost slot keeps no log any more. Columns that a version does not have are null in JSON.
constexpr std::string_view kSlots = R"(
SELECT slot_name AS slot, pg_wal_lsn_diff(restart_lsn, '0/0')::float8 AS position,
  coalesce(facts ->> 'invalidation_reason', CASE WHEN facts ->> 'conflicting' = 'true' THEN 'conflicting'
    WHEN facts ->> 'wal_status' = 'lost' THEN 'wal_removed' END) AS lost
FROM pg_replication_slots AS slots CROSS JOIN LATERAL to_jsonb(slots) AS facts
ORDER BY 1 LIMIT 1000)";

class Wal final : public Collector {
 public:
  explicit Wal(const Settings& settings)
      : archive_max_age_(settings.maybe_duration("archive_max_age")),
        max_ready_(settings.maybe_number("max_ready")),
        standbys_(settings.texts("standbys")),
        max_lag_(settings.maybe_duration("max_lag")),
        max_retained_(settings.maybe_number("max_retained")) {}

  void declare(Batch& out) const override {
    if (archive_max_age_) out.set(kArchiveMaxAge, archive_max_age_->count());
    if (max_ready_) out.set(kReadyMax, *max_ready_);
    if (max_lag_)
      for (const std::string& standby : standbys_) out.set(kLagMax, max_lag_->count(), standby);
  }

  Progress collect(Sources& from, Batch& out) override {
    Session& session = from.session();
    look_at_archiver(session, out);
    const double end = session.query(kEnd).only().number("log_end");
    const Instant now = from.clock().now();
    look_at_standbys(session, end, now, out);
    look_at_slots(session, end, out);
    positions_.add({now, end});
    return Progress::done;
  }

 private:
  /// The server retries a failed segment at once. So a failure counts if two passes in a row find
  /// one.
  void look_at_archiver(Session& session, Batch& out) {
    const Row archiver = session.query(kArchiver).only();
    const bool archiving = archiver.flag("archiving");
    if (!archiving) {
      if (archive_max_age_ || max_ready_)
        out.unproven(kFailing, Reason::missing,
                     "the server does not archive. HINT: archive_mode, or remove the limits");
      failed_before_ = false;
      return;
    }
    const bool failing = archiver.flag("failing");
    if (failing && !failed_before_)
      out.unsettled(kFailing, "the newest attempt to archive a segment failed");
    else
      out.set(kFailing, failing ? 1 : 0);
    failed_before_ = failing;
    out.set(kFailures, archiver.number("failures"));
    if (const auto age = archiver.maybe_number("archived_age"))
      out.set_age(kArchiveAge, Seconds(*age));
    else if (archive_max_age_)
      out.unproven(kArchiveAge, Reason::missing, "no segment was archived yet");
    count_ready(session, out);
  }

  void count_ready(Session& session, Batch& out) const {
    if (session.query(kMayList).only().flag("may"))
      out.set(kReady, session.query(kReadyFiles).only().number("ready"));
    else if (max_ready_)
      out.unproven(kReady, Reason::permission,
                   "may not list what waits for the archiver. HINT: grant EXECUTE on"
                   " pg_ls_archive_statusdir(), there from PostgreSQL 12 on");
  }

  void look_at_standbys(Session& session, double end, Instant now, Batch& out) const {
    const Rows rows = session.query(kStandbys);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string standby = rows[i].text("standby");
      const auto position = rows[i].maybe_number("position");
      if (rows[i].flag("hidden") || !position) {
        if (is_judged(standby))
          out.unproven(kLag, rows[i].flag("hidden") ? Reason::permission : Reason::pending,
                       "its position is not to be seen. HINT: grant this role pg_read_all_stats",
                       standby);
        continue;
      }
      out.set(kLagBytes, std::max(0.0, end - *position), standby);
      if (*position >= end)
        out.set(kLag, 0, standby);
      else if (const auto then = positions_.moment_of(*position))
        out.set(kLag, (now - *then).count(), standby);
      else if (is_judged(standby))
        out.unsettled(kLag, "since when it is behind is not known yet", standby);
    }
  }

  void look_at_slots(Session& session, double end, Batch& out) const {
    const Rows rows = session.query(kSlots);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Row row = rows[i];
      const std::string& slot = row.text("slot");
      const auto& lost = row.maybe_text("lost");
      out.set(kSlotLost, lost ? 1 : 0, slot);
      if (lost) out.evidence(kSlotLost, "the server says: " + *lost, slot);
      const auto position = row.maybe_number("position");
      if (!position || lost) continue;
      if (max_retained_) out.set(kRetainedMax, *max_retained_, slot);
      out.set(kRetained, std::max(0.0, end - *position), slot);
    }
  }

  [[nodiscard]] bool is_judged(const std::string& standby) const {
    return max_lag_ && std::find(standbys_.begin(), standbys_.end(), standby) != standbys_.end();
  }

  std::optional<Seconds> archive_max_age_;
  std::optional<double> max_ready_;
  std::vector<std::string> standbys_;
  std::optional<Seconds> max_lag_;
  std::optional<double> max_retained_;
  WalPositions positions_;
  bool failed_before_ = false;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Wal>(given.own);
}

void check(const Configuration& given, Problems& problems) {
  if (given.own.has("max_lag") == !given.own.texts("standbys").empty()) return;
  problems.add(given.own.place(given.own.has("max_lag") ? "max_lag" : "standbys"),
               "`standbys` and `max_lag` belong together",
               "standbys = [\"walreceiver\"] and max_lag = \"1m\"");
}

void add_reads(const Configuration& given, Session& /*session*/, const Schema& /*schema*/,
               Reads& reads) {
  reads.sessions = true;
  if (given.own.has("max_ready")) reads.functions[{"pg_catalog", "pg_ls_archive_statusdir"}] = "";
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "wal",
    .summary =
        "archiver, what waits for it, standbys and replication slots, as the server sees them",
    .object_noun = "log check",
    .report_section = "Write-ahead log",
    .question = Question::service,
    .lane = Lane::quick,
    .scope = Scope::server,
    .depends_on = DependsOn::statistics | DependsOn::time,
    .interval = "30s",
    .deadline = "10s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .check = check,
    .reads = add_reads,
    .make = make};

}  // namespace pg_integrity::wal
