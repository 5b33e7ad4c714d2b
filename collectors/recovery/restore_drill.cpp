// Restore drills: how the newest one of each backup source went, how long ago and how fast. The
// collector only reads the records of `drill`, which restores. Results of past drills stay true,
// and their ages grow.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/options/backups.h"
#include "collectors/options/drills.h"
#include "collectors/options/server.h"
#include "collectors/ports/clock.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/recovery/backup_history.h"
#include "collectors/recovery/backup_metrics.h"
#include "collectors/recovery/drill_records.h"

namespace pg_integrity::restore_drill {

namespace {

constexpr auto kSuccess = past_event(
    gauge("pg_integrity_restore_drill_success",
          "1: the newest drill that could tell restored the backup, and all that was compared was "
          "as it should be; 0: it did not.",
          must_be(1).says("The newest restore drill of {kind} backups of {source} failed."),
          "source", "kind"));
constexpr auto kLastSuccess =
    past_event(gauge("pg_integrity_restore_drill_last_success_timestamp_seconds",
                     "When the newest successful drill was started, Unix time.", "source", "kind"));
constexpr auto kMaxAge = gauge("pg_integrity_restore_drill_max_age_seconds",
                               "Objective of restore_drill_age_seconds.", "source", "kind");
constexpr auto kAge =
    age("pg_integrity_restore_drill_age_seconds", "Seconds since the newest successful drill.",
        at_most(kMaxAge).says("The newest successful restore drill of {kind} backups of {source} "
                              "was {value} ago, at most {limit} is allowed."),
        "source", "kind");
constexpr auto kObjective =
    gauge("pg_integrity_restore_drill_objective_seconds",
          "Recovery time objective: of restore_drill_duration_seconds.", "source", "kind");
constexpr auto kDuration = past_event(gauge(
    "pg_integrity_restore_drill_duration_seconds",
    "Measured recovery time: how long the newest successful drill took until the "
    "copy could be used.",
    at_most(kObjective)
        .says(
            "The newest restore of a {kind} backup of {source} took {value}, it may take {limit}."),
    "source", "kind"));
constexpr auto kPhase =
    past_event(gauge("pg_integrity_restore_drill_phase_duration_seconds",
                     "Duration of each phase of the newest drill.", "source", "kind", "phase"));
constexpr auto kBackupTime = past_event(
    gauge("pg_integrity_restore_drill_backup_timestamp_seconds",
          "Recovery point of the newest successful drill, Unix time: when the restored backup was "
          "begun or, with archived WAL, its newest commit.",
          "source", "kind"));
constexpr auto kRunningBytes =
    gauge("pg_integrity_restore_drill_phase_bytes",
          "Bytes that the phase of a running drill has brought into its work directory.", "source",
          "kind", "phase");
constexpr auto kRunningRatio = gauge("pg_integrity_restore_drill_phase_ratio",
                                     "Share of its phase that a running drill has done, where "
                                     "it is known.",
                                     "source", "kind", "phase");
constexpr auto kUnexplained = past_event(
    gauge("pg_integrity_restore_drill_unexplained_rows",
          "Rows of the copy that are missing, too many or not those of the backup's "
          "time, of the newest drill.",
          must_be(0).says("{value} {row|rows} of {schema}.{table}, restored from the {kind} "
                          "backup of {source}, {is|are} missing, surplus or changed."),
          "source", "kind", "schema", "table"));
constexpr auto kOrphaned = past_event(
    gauge("pg_integrity_restore_drill_orphaned_rows",
          "Rows of the copy whose parent is missing, of the newest drill.",
          must_be(0).says("{value} {row|rows} of {schema}.{table}, restored from the {kind} "
                          "backup of {source}, {refers|refer} to no existing row."),
          "source", "kind", "schema", "table"));

constexpr const MetricInfo* kMetrics[] = {
    &kSuccess, &kLastSuccess, &kAge,         &kMaxAge,   &kDuration,     &kObjective,
    &kPhase,   &kBackupTime,  &kUnexplained, &kOrphaned, &kRunningBytes, &kRunningRatio};

constexpr std::string_view kIdentity[] = {"source", "kind", "schema", "table"};

/// A source and a kind of its backups.
using Drilled = std::pair<std::string, std::string>;

constexpr std::string_view kServerOptions[] = {"backups", "drills", "name"};

class RestoreDrill final : public Collector {
 public:
  explicit RestoreDrill(const WatchedServer& server)
      : server_(server.name), drills_(server.drills.value()) {
    for (const BackupSource& source : server.backups) {
      if (source.catalogue && !source.catalogue->drill_command.empty())
        drilled_.emplace_back(source.name, kRecoveryKind);
      if (!source.directory) continue;
      for (const BackupKind& kind : source.kinds) drilled_.emplace_back(source.name, kind.name);
    }
    std::sort(drilled_.begin(), drilled_.end());
  }

  void declare(Batch& out) const override {
    for (const auto& [source, kind] : drilled_) {
      out.set(kMaxAge, drills_.max_age.count(), source, kind);
      if (drills_.recovery_time_objective)
        out.set(kObjective, drills_.recovery_time_objective->count(), source, kind);
    }
  }

  Progress collect(Sources& from, Batch& out) override {
    const auto found = reader_.read(from.files(), from.json(), drills_.directory);
    std::map<Drilled, std::vector<const DrillRecord*>> drills;
    for (const DrillRecord& drill : found.records)
      if (drill.server == server_) drills[{drill.source, drill.kind}].push_back(&drill);
    for (const Drilled& drilled : drilled_) {
      auto& history = drills[drilled];
      std::sort(history.begin(), history.end(),
                [](const DrillRecord* a, const DrillRecord* b) { return a->started < b->started; });
      report(from.clock(), drilled, history, out);
      for (const UnusableRecord& record : found.unusable)
        out.unproven(kSuccess, record.reason,
                     "a record cannot be used: " + record.file + ": " + record.what, drilled.first,
                     drilled.second);
    }
    report_progress(from, out);
    return Progress::done;
  }

 private:
  void report_progress(Sources& from, Batch& out) {
    constexpr double kKilled = 300;  // seconds; a drill that runs writes each ten
    const double now = from.clock().unix_now();
    for (const DrillProgress& drill :
         progress_reader_.read(from.files(), from.json(), drills_.directory).records) {
      if (drill.server != server_ || std::abs(now - drill.written) > kKilled ||
          !std::binary_search(drilled_.begin(), drilled_.end(), Drilled{drill.source, drill.kind}))
        continue;
      out.set(kRunningBytes, drill.bytes, drill.source, drill.kind, drill.phase);
      if (drill.all_bytes > 0)
        out.set(kRunningRatio, std::min(1.0, drill.bytes / drill.all_bytes), drill.source,
                drill.kind, drill.phase);
    }
  }

  /// @param history the drills of one source and kind, the oldest first.
  static void report(const Clock& clock, const Drilled& drilled,
                     const std::vector<const DrillRecord*>& history, Batch& out) {
    const auto& [source, kind] = drilled;
    const auto newest_that = [&](auto is) -> const DrillRecord* {
      const auto found = std::find_if(history.rbegin(), history.rend(),
                                      [&](const DrillRecord* drill) { return is(drill->outcome); });
      return found == history.rend() ? nullptr : *found;
    };
    const DrillRecord* newest = newest_that([](DrillOutcome) { return true; });
    if (newest == nullptr) {
      out.unproven(kSuccess, Reason::missing,
                   "no restore drill is on record. HINT: run pg_integrity_exporter drill", source,
                   kind);
      return;
    }
    if (const DrillRecord* told =
            newest_that([](DrillOutcome outcome) { return outcome != DrillOutcome::unproven; })) {
      out.set(kSuccess, told->outcome == DrillOutcome::success ? 1 : 0, source, kind);
      if (told->outcome == DrillOutcome::failed) list_reasons(*told, out);
    }
    if (newest->outcome == DrillOutcome::unproven)
      out.unproven(kSuccess, Reason::missing,
                   "the newest drill could not tell: " +
                       (newest->reasons.empty() ? std::string() : newest->reasons.front()),
                   source, kind);
    if (const DrillRecord* good =
            newest_that([](DrillOutcome outcome) { return outcome == DrillOutcome::success; })) {
      const Seconds age(clock.unix_now() - good->started);
      if (age < Seconds(-60))
        out.unproven(kSuccess, Reason::clock, "the newest success lies in the future", source,
                     kind);
      out.set(kLastSuccess, good->started, source, kind);
      out.set_age(kAge, age, source, kind);
      out.set(kDuration, good->duration.count(), source, kind);
      out.set(kBackupTime, good->recovery_point(), source, kind);
    }
    for (const DrillPhase& phase : newest->phases)
      out.set(kPhase, phase.took.count(), source, kind, phase.name);
    report_tables(*newest, out);
  }

  static void list_reasons(const DrillRecord& drill, Batch& out) {
    for (const std::string& reason : drill.reasons)
      out.evidence(kSuccess, reason, drill.source, drill.kind);
  }

  static void report_tables(const DrillRecord& drill, Batch& out) {
    for (const DrilledTable& table : drill.tables) {
      if (table.unexplained_rows)
        out.set(kUnexplained, *table.unexplained_rows, drill.source, drill.kind, table.schema,
                table.table);
      else
        out.unproven(kUnexplained, Reason::missing, table.unproven, drill.source, drill.kind,
                     table.schema, table.table);
      if (table.orphaned_rows)
        out.set(kOrphaned, *table.orphaned_rows, drill.source, drill.kind, table.schema,
                table.table);
    }
  }

  std::string server_;
  Drills drills_;
  std::vector<Drilled> drilled_;  ///< sources and kinds that should be drilled
  DrillReader reader_;
  ProgressReader progress_reader_;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<RestoreDrill>(given.server);
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "restore_drill",
    .summary = "restore drills on record: outcome, age, measured recovery time and point",
    .object_noun = "drill check",
    .report_section = "Disaster recovery",
    .question = Question::recoverable,
    .lane = Lane::quick,
    .scope = Scope::server,
    .depends_on = DependsOn::outside | DependsOn::time,
    .interval = "1m",
    .deadline = "20s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .server_options = kServerOptions,
    .wanted = [](const Configuration& given) { return given.server.drills.has_value(); },
    .wanted_hint = "run drills, and say where their records are: [server.drills]",
    .wanted_snippet = R"([server.drills]
directory = "/var/lib/pg_integrity_exporter/drills"
recovery_time_objective = "1h")",
    .reads = no_reads,
    .proves = true,
    .make = make};

}  // namespace pg_integrity::restore_drill
