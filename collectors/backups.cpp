// Backups: how old the newest one of each kind is, how many runs of its schedule were missed, and
// how far back the copies reach. A manual backup never hides that the automatic one stopped: each
// kind is judged by itself.
#include <algorithm>
#include <cmath>
#include <map>

#include "collectors/backup_config.h"
#include "collectors/backup_sources.h"
#include "collectors/collector.h"
#include "collectors/reads.h"

namespace pg_integrity {

namespace {

constexpr auto kLastSuccess = past_event(
    gauge("pg_integrity_backup_last_success_timestamp_seconds",
          "Time of the newest successful backup of a kind, Unix time.", "source", "kind"));
constexpr auto kMaxAge =
    gauge("pg_integrity_backup_max_age_seconds",
          "Objective of backup_age_seconds: schedule plus grace.", "source", "kind");
constexpr auto kAge = age("pg_integrity_backup_age_seconds",
                          "Seconds since the newest known successful backup of a kind.",
                          at_most(kMaxAge), "source", "kind");
constexpr auto kSize =
    past_event(gauge("pg_integrity_backup_last_size_bytes",
                     "Size of the newest successful backup of a kind.", "source", "kind"));
constexpr auto kMissedRuns =
    past_event(gauge("pg_integrity_backup_missed_runs",
                     "Scheduled runs since the newest success that did not leave one.", must_be(0),
                     "source", "kind"));
constexpr auto kInfo = past_event(
    gauge("pg_integrity_backup_info",
          "Always 1; says where the newest backup's time was taken from: table, header, name "
          "or mtime.",
          "source", "kind", "time_source"));
constexpr auto kBackups = gauge("pg_integrity_backups", "Backups on record, by kind and status.",
                                "source", "kind", "status");
constexpr auto kUnrecognised =
    gauge("pg_integrity_backup_unrecognised_rows",
          "Rows of the history table that are of no declared and no ignored kind.", "source");
constexpr auto kRetentionMin = gauge("pg_integrity_backup_retention_min_seconds",
                                     "Objective of backup_retention_seconds.", "source");
constexpr auto kRetention = past_event(gauge(
    "pg_integrity_backup_retention_seconds",
    "Age of the oldest successful backup that is still there.", at_least(kRetentionMin), "source"));
constexpr auto kOldest = past_event(
    gauge("pg_integrity_backup_oldest_timestamp_seconds",
          "Time of the oldest successful backup that is still there, Unix time.", "source"));

constexpr const MetricInfo* kMetrics[] = {&kLastSuccess, &kAge,          &kMaxAge,  &kSize,
                                          &kMissedRuns,  &kInfo,         &kBackups, &kUnrecognised,
                                          &kRetention,   &kRetentionMin, &kOldest};

constexpr std::string_view kIdentity[] = {"source", "kind"};

class Backups final : public Collector {
 public:
  explicit Backups(const Settings& settings) {
    for (const Settings& record : settings.records("backups"))
      sources_.push_back(backup_source_from(record));
    std::sort(sources_.begin(), sources_.end(),
              [](const BackupSource& a, const BackupSource& b) { return key_of(a) < key_of(b); });
  }

  void declare(Batch& out) const override {
    for (const BackupSource& source : sources_) {
      for (const BackupKind& kind : source.kinds)
        if (kind.every)
          out.set(kMaxAge, (*kind.every + kind.grace).count(), source.name, kind.name);
      if (source.retention) out.set(kRetentionMin, source.retention->count(), source.name);
    }
  }

  Progress collect(Sources& from, Batch& out) override {
    return Walk(from, Walk::Pace::singly)
        .each("sources", sources_, key_of,
              [&](const BackupSource& source) { look_at(from, source, out); });
  }

 private:
  /// Directories first: they can be read while the database is down, which is when they matter
  /// most.
  static std::string key_of(const BackupSource& source) {
    return walk_key(std::string(source.directory ? "directory" : "table"), source.name);
  }

  void look_at(Sources& from, const BackupSource& source, Batch& out) {
    try {
      const BackupHistory history =
          source.directory
              ? archives_[source.name].read(from.files(), from.clock(), *source.directory,
                                            source.kinds)
              : read_history_table(from.session(), *from.schema(), *source.table, source.kinds);
      for (const BackupKind& kind : source.kinds)
        report_kind(source, kind, history.kinds.at(kind.name), out);
      if (source.table) out.set(kUnrecognised, history.unrecognised, source.name);
      if (source.retention) report_retention(from, source, history, out);
    } catch (const SourceError& error) {
      if (error.session_lost()) throw;
      for (const BackupKind& kind : source.kinds)
        out.unproven(kLastSuccess, error.reason(), error.what(), source.name, kind.name);
      if (source.retention) out.unproven(kRetention, error.reason(), error.what(), source.name);
    }
  }

  static void report_kind(const BackupSource& source, const BackupKind& kind,
                          const KindHistory& history, Batch& out) {
    for (std::size_t i = 0; i < kBackupStatusNames.size(); ++i)
      out.set(kBackups, history.runs[i], source.name, kind.name,
              std::string(kBackupStatusNames[i]));
    if (history.from_the_future > 0)
      out.unproven(kLastSuccess, Reason::clock,
                   "backups on record that lie in the future. HINT: check the clocks and `zone`",
                   source.name, kind.name);
    if (kind.every) report_unknown_newest(source, kind, history, out);
    if (!history.newest) return;
    const NewestBackup& newest = *history.newest;
    out.set(kLastSuccess, newest.time, source.name, kind.name);
    out.set_age(kAge, newest.age, source.name, kind.name);
    if (newest.size) out.set(kSize, *newest.size, source.name, kind.name);
    out.set(kInfo, 1, source.name, kind.name, newest.time_source);
    if (kind.every)
      out.set(kMissedRuns, std::max(0.0, std::floor((newest.age - kind.grace) / *kind.every)),
              source.name, kind.name);
  }

  /// What cannot be read is no backup, and hides what the newest one is.
  static void report_unknown_newest(const BackupSource& source, const BackupKind& kind,
                                    const KindHistory& history, Batch& out) {
    const auto& hidden = history.newest_unreadable;
    if (hidden && (!history.newest || hidden->changed > history.newest->time))
      out.unproven(kLastSuccess, hidden->reason, "the newest may be unreadable: " + hidden->what,
                   source.name, kind.name);
    else if (!history.newest)
      out.unproven(kLastSuccess, Reason::missing,
                   source.directory ? "no finished backup that is recognised as one is there"
                                    : "no successful backup of this kind is on record",
                   source.name, kind.name);
  }

  /// While a history shorter than the objective grows, nothing is known; when an old copy went
  /// before its time, the objective is missed until the history is long enough again. That a row of
  /// a table is still there does not prove that its copy is.
  static void report_retention(Sources& from, const BackupSource& source,
                               const BackupHistory& history, Batch& out) {
    std::optional<Seconds> oldest;
    for (const auto& [name, kind] : history.kinds)
      if (kind.oldest_age && (!oldest || *kind.oldest_age > *oldest)) oldest = kind.oldest_age;
    if (!oldest) {
      out.unproven(kRetention, Reason::missing, "no successful backup is on record", source.name);
      return;
    }
    constexpr double kTolerance = 60;  // seconds that two looks at the same copy may differ by
    const UnixTime began = from.clock().unix_now() - oldest->count();
    const auto before = from.previous(kOldest, std::array<std::string, 1>{source.name});
    out.set(kOldest, began, source.name);
    const bool met = *oldest >= *source.retention;
    if (met || (before && began > before->value + kTolerance))
      out.set(kRetention, oldest->count(), source.name);
    else
      out.unproven(kRetention, Reason::pending,
                   "the copies reach back " + format_duration(*oldest) + " of " +
                       format_duration(*source.retention),
                   source.name);
    if (met && source.table)
      out.unproven(kRetention, Reason::not_configured,
                   "rows do not prove that the copies exist. HINT: give their `directory` a source"
                   " of its own",
                   source.name);
  }

  std::vector<BackupSource> sources_;
  std::map<std::string, ArchiveReader> archives_;  ///< by source
};

std::unique_ptr<Collector> make(const Settings& settings, ScanPlan& /*plan*/) {
  return std::make_unique<Backups>(settings);
}

}  // namespace

extern const ReadsOf kBackupsReads;
constexpr ReadsOf kBackupsReads = [](const Settings& settings, Session& /*session*/,
                                     const Schema& schema, Reads& reads) {
  for (const Settings& record : settings.records("backups"))
    if (const auto table = backup_source_from(record).table)
      reads.add(schema, table->table,
                {table->time_column, table->kind_column, table->status_column});
};

extern const CollectorSpec kBackupsSpec;
constexpr CollectorSpec kBackupsSpec{
    .name = "backups",
    .summary = "age, missed runs and retention of backups, by source and kind",
    .report_section = "Backups",
    .question = Question::recoverable,
    .lane = Lane::quick,
    .scope = Scope::server,
    .depends_on = DependsOn::tables | DependsOn::time | DependsOn::outside,
    .interval = "1m",
    .deadline = "20s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kBackupOptions,
    .needs = "backups",
    .needs_hint = "say where backups are recorded: [[server.backups]]",
    .check = check_backup_sources,
    .make = make};

}  // namespace pg_integrity
