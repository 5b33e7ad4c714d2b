#include "collectors/recovery/backup_list.h"

#include <algorithm>

#include "collectors/base/units.h"

namespace pg_integrity {

namespace {

/// Why an entry is not counted that was not rejected.
std::string why_not_yet(const ArchiveDirectory& directory, const ArchiveJudgement& judgement) {
  if (judgement.unreadable) return judgement.unreadable->what;
  if (judgement.status == BackupStatus::running)
    return "it changed less than " + format_duration(directory.settle) + " ago (`settle`)";
  return "it is neither a file nor a folder";
}

}  // namespace

ListedBackup listed(const ArchiveDirectory& directory, const FileEntry& entry,
                    const ArchiveJudgement& judgement, const ProofRecord* proof) {
  ListedBackup backup;
  backup.name = entry.name;
  backup.status = judgement.status;
  if (entry.modified > 0) backup.time = entry.modified;
  if (entry.kind != FileKind::other) backup.size = entry.size;
  if (!judgement.backup) {
    backup.why = judgement.rejected ? judgement.rejected->why : why_not_yet(directory, judgement);
    if (judgement.disproved && proof != nullptr) {
      backup.level = proof->level;
      backup.checked_at = proof->checked_at;
    }
    return backup;
  }
  backup.time = judgement.backup->time;
  backup.level = judgement.backup->level;
  if (proof != nullptr && backup.level > ProofLevel::plausible)
    backup.checked_at = proof->checked_at;
  backup.counts = *backup.level >= directory.usable;
  if (!backup.counts)
    backup.why = "it has reached proof level " + std::to_string(number_of(*backup.level)) + " of " +
                 std::to_string(number_of(directory.usable));
  return backup;
}

void sort_newest_first(BackupList& list) {
  for (auto& [kind, backups] : list)
    std::stable_sort(backups.begin(), backups.end(),
                     [](const ListedBackup& a, const ListedBackup& b) {
                       if (a.time != b.time) return b.time < a.time;
                       return a.name < b.name;
                     });
}

}  // namespace pg_integrity
