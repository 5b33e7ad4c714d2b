#include "collectors/recovery/archive_judgement.h"

#include <algorithm>
#include <cmath>

#include "collectors/options/proof_level.h"
#include "collectors/recovery/base_backup_manifest.h"

namespace pg_integrity {

namespace {

using State = ArchiveVerdict::State;

ArchiveJudgement rejected(const FileEntry& entry, BackupStatus status, const std::string& why) {
  ArchiveJudgement judgement{status};
  judgement.rejected = Rejected{entry.modified, entry.name, why, status == BackupStatus::failed};
  return judgement;
}

ArchiveJudgement not_read(const Unreadable& why) {
  ArchiveJudgement judgement{BackupStatus::other};
  judgement.unreadable = why;
  return judgement;
}

bool changed_lately(const ArchiveDirectory& directory, const FileEntry& entry, UnixTime changed) {
  return entry.read_at - changed < directory.settle.count();
}

/// Judges the WAL of a base backup that is not at fault otherwise.
ArchiveJudgement judge_log(const Evidenced& known, const std::vector<std::string>& needed) {
  ArchiveJudgement judgement{BackupStatus::success};
  if (!needed.empty()) {
    if (known.log.trouble) {
      judgement =
          not_read({known.entry.modified, known.log.trouble->reason, known.log.trouble->what});
    } else if (const std::string segment = known.log.first_missing(needed); !segment.empty()) {
      judgement = rejected(known.entry, BackupStatus::failed,
                           "it needs " + segment + " of the log, which is nowhere");
      judgement.without_log = true;
    }
  }
  judgement.base_backup = true;
  return judgement;
}

/// Applies the proof of a successful backup: a failed proof turns the success into a failure.
void apply_proof(const Evidenced& known, ArchiveJudgement& judgement) {
  NewestBackup backup = known.examination.backup;
  backup.age = Seconds(known.entry.read_at - backup.time);
  if (known.proof != nullptr && known.proof->disproved()) {
    const bool base_backup = judgement.base_backup;
    judgement =
        rejected(known.entry, BackupStatus::failed, "a proof failed: " + known.proof->disproof);
    judgement.base_backup = base_backup;
    judgement.disproved = true;
    return;
  }
  if (known.proof != nullptr) backup.level = std::max(known.proof->level, ProofLevel::plausible);
  judgement.backup = backup;
}

}  // namespace

std::string ArchivedLog::first_missing(const std::vector<std::string>& needed) const {
  for (const std::string& segment : needed) {
    bool found = false;
    for (auto at = std::lower_bound(segments.begin(), segments.end(), segment);
         !found && at != segments.end() && at->starts_with(segment); ++at)
      found = is_segment(*at, segment);
    if (!found) return segment;
  }
  return {};
}

std::optional<ArchiveJudgement> judge_unread(const ArchiveDirectory& directory,
                                             const FileEntry& entry) {
  if (entry.kind == FileKind::other) {
    if (!entry.trouble) return ArchiveJudgement{BackupStatus::other};
    return not_read({entry.modified > 0 ? entry.modified : HUGE_VAL, *entry.trouble,
                     directory.path + "/" + entry.name + " cannot be read"});
  }
  if (changed_lately(directory, entry, entry.modified))
    return ArchiveJudgement{BackupStatus::running};
  if (entry.size < directory.min_size)
    return rejected(entry, BackupStatus::failed, "it is too small");
  return std::nullopt;
}

ArchiveJudgement judge(const ArchiveDirectory& directory, const Evidenced& known) {
  // A program that writes a copy may also set its modification time, so that it looks settled.
  if (known.grows) return {BackupStatus::running};
  const Examination& found = known.examination;
  if (found.unreadable) return not_read(*found.unreadable);
  // pg_basebackup writes in folders below, which does not change this folder's own time.
  if (changed_lately(directory, known.entry, found.changed_within)) return {BackupStatus::running};
  if (found.verdict.state != State::plausible)
    return rejected(
        known.entry,
        found.verdict.state == State::damaged ? BackupStatus::failed : BackupStatus::other,
        found.verdict.why);
  ArchiveJudgement judgement = found.wal_elsewhere ? judge_log(known, *found.wal_elsewhere)
                                                   : ArchiveJudgement{BackupStatus::success};
  if (judgement.status == BackupStatus::success) apply_proof(known, judgement);
  return judgement;
}

void add(KindHistory& kind, const ArchiveJudgement& judgement, ProofLevel usable) {
  ++kind.runs[static_cast<std::size_t>(judgement.status)];
  kind.base_backups += judgement.base_backup ? 1 : 0;
  kind.without_log += judgement.without_log ? 1 : 0;
  kind.disproved += judgement.disproved ? 1 : 0;
  if (const auto& hidden = judgement.unreadable;
      hidden && (!kind.newest_unreadable || hidden->changed > kind.newest_unreadable->changed))
    kind.newest_unreadable = hidden;
  if (const auto& refused = judgement.rejected;
      refused && (!kind.newest_rejected || refused->changed > kind.newest_rejected->changed))
    kind.newest_rejected = refused;
  if (judgement.backup) kind.add(*judgement.backup, usable);
}

}  // namespace pg_integrity
