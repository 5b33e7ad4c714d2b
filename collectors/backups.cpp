// Backups: how old the newest one of each kind is, how many runs of its schedule were missed, and
// how far back the copies reach. A manual backup never hides that the automatic one stopped: each
// kind is judged by itself.
#include <algorithm>
#include <cmath>
#include <map>

#include "collectors/archive_directory.h"
#include "collectors/backup_config.h"
#include "collectors/backup_metrics.h"
#include "collectors/backup_sources.h"
#include "collectors/collector.h"
#include "collectors/reads.h"
#include "collectors/recovery_point.h"
#include "collectors/wal_archive.h"

namespace pg_integrity {

namespace {

using backup_metrics::kAge;
using backup_metrics::kAll;
using backup_metrics::kBackups;
using backup_metrics::kCatalogueAge;
using backup_metrics::kCatalogueMaxAge;
using backup_metrics::kInfo;
using backup_metrics::kLastSuccess;
using backup_metrics::kLogMissing;
using backup_metrics::kMaxAge;
using backup_metrics::kMissedRuns;
using backup_metrics::kOldest;
using backup_metrics::kProofFailed;
using backup_metrics::kProofLevel;
using backup_metrics::kProofLevelMin;
using backup_metrics::kProvenAge;
using backup_metrics::kRetention;
using backup_metrics::kRetentionMin;
using backup_metrics::kSize;
using backup_metrics::kSizeRatio;
using backup_metrics::kSizeRatioMin;
using backup_metrics::kUnrecognised;

constexpr std::string_view kIdentity[] = {"source", "kind"};

class Backups final : public Collector {
 public:
  explicit Backups(const Settings& settings)
      : sources_(backup_sources_from(settings)),
        recovery_point_(settings.maybe_duration("recovery_point_objective")) {
    if (const Settings* drills = settings.record("drills")) records_ = drills->text("directory");
    std::sort(sources_.begin(), sources_.end(),
              [](const BackupSource& a, const BackupSource& b) { return key_of(a) < key_of(b); });
  }

  void declare(Batch& out) const override {
    for (const BackupSource& source : sources_) {
      for (const BackupKind& kind : source.kinds) {
        if (source.size_ratio_min)
          out.set(kSizeRatioMin, *source.size_ratio_min, source.name, kind.name);
        if (!kind.every) continue;
        out.set(kMaxAge, (*kind.every + kind.grace).count(), source.name, kind.name);
        out.set(kProofLevelMin, source.usable(), source.name, kind.name);
      }
      if (source.retention) out.set(kRetentionMin, source.retention->count(), source.name);
      if (source.catalogue)
        out.set(kCatalogueMaxAge, source.catalogue->max_age.count(), source.name);
    }
    recovery_point_.declare(out);
  }

  Progress collect(Sources& from, Batch& out) override {
    if (from.position().empty()) {
      recovery_point_.begin();
      has_base_ = false;
    }
    Walk walk(from, Walk::Pace::singly);
    if (walk.each("sources", sources_, key_of, [&](const BackupSource& source) {
          look_at(from, source, out);
        }) == Progress::more)
      return Progress::more;
    return walk.each(
        "whole", std::array<std::string, 1>{}, [](const std::string& whole) { return whole; },
        [&](const std::string& /*whole*/) {
          if (has_base_) look_at_archive(from, out);
          recovery_point_.conclude(from, out);
        });
  }

 private:
  /// Files first: they can be read while the database is down, which is when they matter most.
  static std::string key_of(const BackupSource& source) {
    return walk_key(std::string(source.table ? "table" : "file"), source.name);
  }

  BackupHistory read(Sources& from, const BackupSource& source, Batch& out) {
    if (source.directory)
      return archives_[source.name].read(from.files(), from.clock(), *source.directory,
                                         source.kinds, read_proofs(from));
    if (source.table)
      return read_history_table(from.session(), *from.schema(), *source.table, source.kinds);
    const CatalogueFile file = read_catalogue_file(from.files(), *source.catalogue);
    out.set_age(kCatalogueAge, file.age, source.name);
    if (file.age > source.catalogue->max_age)
      throw SourceError(Reason::stale, source.catalogue->file +
                                           " is too old. HINT: see to the timer that writes it");
    return read_catalogue(from.json(), from.clock(), *source.catalogue, file.text, source.kinds);
  }

  /// That the database is down does not hide what was found in directories.
  void look_at_archive(Sources& from, Batch& out) {
    try {
      recovery_point_.add(from, archive_.look(from.session(), from.clock().now()), out);
    } catch (const SourceError& error) {
      recovery_point_.add(error);
    }
  }

  Proofs read_proofs(Sources& from) {
    Proofs newest;
    if (records_.empty()) return newest;
    for (ProofRecord& proof : proofs_.read(from.files(), from.json(), records_).records) {
      const auto [known, added] = newest.try_emplace(proof.path, proof);
      if (!added && known->second.checked_at < proof.checked_at) known->second = std::move(proof);
    }
    return newest;
  }

  void look_at(Sources& from, const BackupSource& source, Batch& out) {
    try {
      BackupHistory history = read(from, source, out);
      apply_satisfied_by(source.kinds, history);
      recovery_point_.add(from, source.name, history, out);
      for (const auto& [name, kind] : history.kinds)
        has_base_ = has_base_ || (source.continuous && kind.newest);
      for (const BackupKind& kind : source.kinds)
        report_kind(source, kind, history.kinds.at(kind.name), out);
      if (source.table) out.set(kUnrecognised, history.unrecognised, source.name);
      if (source.retention) report_retention(from, source, history, out);
    } catch (const SourceError& error) {
      if (error.session_lost()) throw;
      recovery_point_.add(error);
      for (const BackupKind& kind : source.kinds)
        out.unproven(kLastSuccess, error.reason(), error.what(), source.name, kind.name);
      if (source.retention || source.catalogue)
        out.unproven(kRetention, error.reason(), error.what(), source.name);
    }
  }

  void report_kind(const BackupSource& source, const BackupKind& kind, const KindHistory& history,
                   Batch& out) const {
    for (std::size_t i = 0; i < kBackupStatusNames.size(); ++i)
      out.set(kBackups, history.runs[i], source.name, kind.name,
              std::string(kBackupStatusNames[i]));
    if (history.from_the_future > 0)
      out.unproven(kLastSuccess, Reason::clock,
                   "backups on record that lie in the future. HINT: check the clocks and `zone`",
                   source.name, kind.name);
    if (kind.every) report_unknown_newest(source, kind, history, out);
    if (source.directory && !records_.empty())
      out.set(kProofFailed, history.disproved, source.name, kind.name);
    if (history.base_backups > 0) out.set(kLogMissing, history.without_log, source.name, kind.name);
    if (history.proven_age) out.set_age(kProvenAge, *history.proven_age, source.name, kind.name);
    const auto& rejected = history.newest_rejected;
    if (rejected && (!history.newest || rejected->changed > history.newest->time))
      out.evidence(kLastSuccess, "does not count: " + rejected->name + ": " + rejected->why,
                   source.name, kind.name);
    if (!history.newest) return;
    const NewestBackup& newest = *history.newest;
    out.set(kLastSuccess, newest.time, source.name, kind.name);
    out.set_age(kAge, newest.age, source.name, kind.name);
    out.set(kProofLevel, newest.level, source.name, kind.name);
    if (const auto ratio = history.size_ratio())
      out.set(kSizeRatio, *ratio, source.name, kind.name);
    if (newest.size) out.set(kSize, *newest.size, source.name, kind.name);
    out.set(kInfo, 1, source.name, kind.name, newest.time_source);
    if (!kind.every) return;
    const Seconds since = history.finished_age.value_or(newest.age);
    out.set(kMissedRuns, std::max(0.0, std::floor((since - kind.grace) / *kind.every)), source.name,
            kind.name);
  }

  /// What cannot be read is no backup, and hides what the newest one is.
  static void report_unknown_newest(const BackupSource& source, const BackupKind& kind,
                                    const KindHistory& history, Batch& out) {
    const auto& hidden = history.newest_unreadable;
    if (hidden && (!history.newest || hidden->changed > history.newest->time))
      out.unproven(kLastSuccess, hidden->reason, "the newest may be unreadable: " + hidden->what,
                   source.name, kind.name);
    else if (!history.newest && history.newest_waiting)
      out.unproven(kLastSuccess, Reason::pending,
                   "the newest backup has reached proof level " +
                       std::to_string(history.newest_waiting->level) + " of " +
                       std::to_string(source.usable()),
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
    if (met && !source.directory)
      out.unproven(kRetention, Reason::not_configured,
                   "what is on record does not prove that the copies exist. HINT: give their "
                   "`directory` a source"
                   " of its own",
                   source.name);
  }

  std::vector<BackupSource> sources_;
  std::map<std::string, ArchiveReader> archives_;  ///< by source
  std::string records_;                            ///< where proofs are recorded; empty: nowhere
  ProofReader proofs_;
  WalArchive archive_;
  bool has_base_ = false;  ///< a base backup that counts was found in this pass
  RecoveryPoint recovery_point_;
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
      reads.add(
          schema, table->table,
          {table->time_column, table->kind_column, table->status_column, table->finish_column});
};

extern const CollectorSpec kBackupsSpec;
constexpr CollectorSpec kBackupsSpec{
    .name = "backups",
    .summary = "age, missed runs, proof and retention of backups, by source and kind",
    .report_section = "Backups",
    .question = Question::recoverable,
    .lane = Lane::quick,
    .scope = Scope::server,
    .depends_on = DependsOn::tables | DependsOn::time | DependsOn::outside,
    .interval = "1m",
    .deadline = "20s",
    .metrics = kAll,
    .identity = kIdentity,
    .options = kBackupOptions,
    .needs = "backups",
    .needs_hint = "say where backups are recorded: [[server.backups]]",
    .check = check_backup_sources,
    .make = make};

}  // namespace pg_integrity
