// Backups: how old the newest one of each kind is, how many runs of its schedule were missed, and
// how far back the backups reach. The collector judges each kind by itself, so a manual backup
// never hides that the automatic one stopped.
#include <algorithm>
#include <map>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/options/backups.h"
#include "collectors/options/proof_level.h"
#include "collectors/options/server.h"
#include "collectors/ports/buckets.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/recovery/archive_directory.h"
#include "collectors/recovery/backup_catalogue.h"
#include "collectors/recovery/backup_copies.h"
#include "collectors/recovery/backup_history.h"
#include "collectors/recovery/backup_metrics.h"
#include "collectors/recovery/backup_report.h"
#include "collectors/recovery/drill_records.h"
#include "collectors/recovery/history_table.h"
#include "collectors/recovery/read_backups.h"
#include "collectors/recovery/recovery_point.h"
#include "collectors/recovery/wal_archive.h"
#include "collectors/walk.h"

namespace pg_integrity::backups {

namespace {

using backup_metrics::kAll;
using backup_metrics::kBucketBytes;
using backup_metrics::kBucketMaxBytes;
using backup_metrics::kBucketMaxRequests;
using backup_metrics::kBucketRequests;
using backup_metrics::kCatalogueAge;
using backup_metrics::kCatalogueMaxAge;
using backup_metrics::kLastSuccess;
using backup_metrics::kLocationsMin;
using backup_metrics::kMaxAge;
using backup_metrics::kProofLevelMin;
using backup_metrics::kRetention;
using backup_metrics::kRetentionMin;
using backup_metrics::kRoomRatioMin;
using backup_metrics::kSizeRatioMin;
using backup_metrics::kUnrecognised;

constexpr std::string_view kIdentity[] = {"source", "kind"};

constexpr std::string_view kServerOptions[] = {"backups", "drills", "recovery_point_objective"};

class Backups final : public Collector {
 public:
  explicit Backups(const WatchedServer& server)
      : sources_(server.backups), recovery_point_(server.recovery_point_objective) {
    if (server.drills) records_ = server.drills->directory;
    std::sort(sources_.begin(), sources_.end(),
              [](const BackupSource& a, const BackupSource& b) { return key_of(a) < key_of(b); });
  }

  void declare(Batch& out) const override {
    for (const BackupSource& source : sources_) {
      for (const BackupKind& kind : source.kinds) {
        if (source.size_ratio_min)
          out.set(kSizeRatioMin, *source.size_ratio_min, source.name, kind.name);
        if (source.room_min) out.set(kRoomRatioMin, *source.room_min, source.name, kind.name);
        if (!kind.schedule.promised()) continue;
        if (source.locations_min)
          out.set(kLocationsMin, *source.locations_min, source.name, kind.name);
        out.set(kMaxAge, kind.schedule.max_age().count(), source.name, kind.name);
        out.set(kProofLevelMin, number_of(source.usable()), source.name, kind.name);
      }
      if (source.retention) out.set(kRetentionMin, required_reach(source).count(), source.name);
      if (source.catalogue && source.catalogue->command.empty())
        out.set(kCatalogueMaxAge, source.catalogue->max_age.count(), source.name);
      if (source.bucket) report_use(source, {}, out);
    }
    recovery_point_.declare(out);
  }

  Progress collect(Sources& from, Batch& out) override {
    if (from.position().empty()) {
      recovery_point_.begin();
      copies_.begin();
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
  /// A number of damaged backups that was once said must be said until it is 0 again.
  static bool was_damaged(const Sources& from, const BackupSource& source, const BackupKind& kind) {
    return from
        .previous(backup_metrics::kProofFailed, std::array<std::string, 2>{source.name, kind.name})
        .has_value();
  }

  [[nodiscard]] bool proofs_recorded() const { return !records_.empty(); }

  /// Files come before tables. They can be read while the database is down, which is when they
  /// matter most. A source with `copy_of` is read before its original, so that the original can
  /// count all locations that hold its backups.
  static std::string key_of(const BackupSource& source) {
    const std::string rank = source.table ? "table" : source.copy_of.empty() ? "file" : "copy";
    return walk_key(rank, source.name);
  }

  BackupHistory read(Sources& from, const BackupSource& source, Batch& out) {
    if (source.directory)
      return archives_[source.name].read(from.files(), from.clock(), *source.directory,
                                         source.kinds, read_proofs(from));
    if (source.bucket) return read_bucket(from, *source.bucket, source.kinds);
    if (source.table)
      return read_history_table(from.session(), *from.schema(), *source.table, source.kinds);
    if (!source.catalogue->command.empty()) return ask(from, source);
    const CatalogueFile file = read_catalogue_file(from.files(), *source.catalogue);
    out.set_age(kCatalogueAge, file.age, source.name);
    if (file.age > source.catalogue->max_age)
      throw SourceError(Reason::stale, source.catalogue->file +
                                           " is too old. HINT: see to the timer that writes it");
    return read_catalogue(from.json(), from.clock(), *source.catalogue, file.text, source.kinds);
  }

  /// What its answer rests on is examined in any case, and the rest in a share of the step's time.
  BackupHistory read_bucket(Sources& from, const ArchiveBucket& bucket,
                            const std::vector<BackupKind>& kinds) {
    constexpr Seconds kForOthers{3};
    const Instant until = from.clock().now() + kForOthers;
    return archives_[bucket.at.source].read(
        from.buckets().files(bucket.at), from.clock(), bucket.archives, kinds, {},
        [&] { return from.clock().now() < until && from.buckets().has_to_spare(bucket.at); });
  }

  /// What may be spent is said in each pass, since an object that no pass finds counts as missing.
  static void report_use(const BackupSource& source, const BucketUse& use, Batch& out) {
    out.count(kBucketRequests, use.requests, source.name);
    out.count(kBucketBytes, use.bytes, source.name);
    out.set(kBucketMaxRequests, source.bucket->at.requests_max, source.name);
    out.set(kBucketMaxBytes, source.bucket->at.bytes_max, source.name);
  }

  static void report_use(Sources& from, const BackupSource& source, Batch& out) {
    if (source.bucket) report_use(source, from.buckets().take_use(source.bucket->at), out);
  }

  BackupHistory ask(Sources& from, const BackupSource& source) {
    CatalogueProgram& program = programs_[source.name];
    const std::string& answer = program.ask(from.processes(), from.clock(), *source.catalogue);
    try {
      return read_catalogue(from.json(), from.clock(), *source.catalogue, answer, source.kinds);
    } catch (const SourceError&) {
      program.forget();
      throw;
    }
  }

  /// A database that is down does not hide what was found in directories.
  void look_at_archive(Sources& from, Batch& out) {
    try {
      recovery_point_.add(from, archive_.look(from.session(), from.clock().now()), out);
    } catch (const SourceError& error) {
      recovery_point_.add(error);
    }
  }

  Proofs read_proofs(Sources& from) {
    std::vector<ProofRecord> drilled;
    if (proofs_recorded()) drilled = proofs_.read(from.files(), from.json(), records_).records;
    const auto text = from.remembered_by("proofs");
    return newest_proofs(drilled, text ? ReadBackups(*text) : ReadBackups());
  }

  void look_at(Sources& from, const BackupSource& source, Batch& out) {
    try {
      BackupHistory history = read(from, source, out);
      apply_satisfied_by(source.kinds, history);
      recovery_point_.add(from, source.name, history, out);
      copies_.add(source, history);
      copies_.report(source, out);
      for (const auto& [name, kind] : history.kinds)
        has_base_ = has_base_ || (source.continuous && kind.newest);
      for (const BackupKind& kind : source.kinds)
        report_kind(from.clock(), source, kind, history.kinds.at(kind.name),
                    proofs_recorded() || was_damaged(from, source, kind), out);
      report_repositories(from.clock(), source, history, out);
      if (source.table) out.set(kUnrecognised, history.unrecognised, source.name);
      report_room(from.files(), source, history, out);
      if (source.retention) report_retention(from, source, history, out);
      report_use(from, source, out);
    } catch (const SourceError& error) {
      report_use(from, source, out);
      if (error.session_lost()) throw;
      recovery_point_.add(error);
      copies_.add(source, error);
      copies_.report(source, out);
      for (const BackupKind& kind : source.kinds)
        out.unproven(kLastSuccess, error.reason(), error.what(), source.name, kind.name);
      if (source.retention || (source.catalogue && source.catalogue->command.empty()))
        out.unproven(kRetention, error.reason(), error.what(), source.name);
    }
  }

  std::vector<BackupSource> sources_;
  std::map<std::string, ArchiveReader> archives_;     ///< by source
  std::map<std::string, CatalogueProgram> programs_;  ///< by source
  std::string records_;                               ///< directory of proof records; empty if none
  ProofReader proofs_;
  WalArchive archive_;
  bool has_base_ = false;  ///< a base backup that counts was found in this pass
  RecoveryPoint recovery_point_;
  BackupCopies copies_;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Backups>(given.server);
}

void add_reads(const Configuration& given, Session& /*session*/, const Schema& schema,
               Reads& reads) {
  for (const BackupSource& source : given.server.backups)
    if (const auto& table = source.table)
      reads.add(
          schema, table->table,
          {table->time_column, table->kind_column, table->status_column, table->finish_column});
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "backups",
    .summary = "age, missed runs, proof and retention of backups, by source and kind",
    .object_noun = "backup check",
    .report_section = "Backups",
    .question = Question::recoverable,
    .lane = Lane::quick,
    .scope = Scope::server,
    .depends_on = DependsOn::tables | DependsOn::time | DependsOn::outside,
    .interval = "1m",
    .deadline = "20s",
    .metrics = kAll,
    .identity = kIdentity,
    .server_options = kServerOptions,
    .wanted = [](const Configuration& given) { return !given.server.backups.empty(); },
    .wanted_hint = "say where backups are recorded: [[server.backups]]",
    .wanted_snippet = kBackupSnippet,
    .reads = add_reads,
    .make = make};

}  // namespace pg_integrity::backups
