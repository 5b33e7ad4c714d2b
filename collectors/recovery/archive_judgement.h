// What one entry of a backup directory counts as, and how the judgements of all entries add up.
// Pure functions; safe on any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/options/backups.h"
#include "collectors/ports/files.h"
#include "collectors/recovery/archive_examination.h"
#include "collectors/recovery/backup_history.h"
#include "collectors/recovery/drill_records.h"

namespace pg_integrity {

/// The archive of the write-ahead log, as far as a base backup needs it.
struct ArchivedLog {
  std::vector<std::string> segments;  ///< file names, sorted
  std::optional<Unreadable> trouble;  ///< it could not be listed

  /// The first of the segments that is not there; empty: all are.
  [[nodiscard]] std::string first_missing(const std::vector<std::string>& needed) const;
};

/// What is known of one entry when it is judged.
struct Evidenced {
  const FileEntry& entry;
  const Examination& examination;
  const ArchivedLog& log;              ///< empty where the examination needs none of it
  const ProofRecord* proof = nullptr;  ///< of the entry as it is now; nullptr: there is none
  bool grows = false;                  ///< it is larger than when it was last examined
};

struct ArchiveJudgement {
  BackupStatus status = BackupStatus::other;
  std::optional<NewestBackup> backup{};    ///< of a success
  std::optional<Rejected> rejected{};      ///< why it does not count
  std::optional<Unreadable> unreadable{};  ///< it may be a backup, and could not be read
  bool base_backup = false;                ///< a finished one of pg_basebackup
  bool without_log = false;                ///< a base backup that lacks log up to its stop
  bool disproved = false;                  ///< a proof failed on it
};

/// Tells without reading anything of an entry: it is none, too young or too small. Nothing: it must
/// be examined.
std::optional<ArchiveJudgement> judge_unread(const ArchiveDirectory& directory,
                                             const FileEntry& entry);

/// Judges an entry that was examined.
ArchiveJudgement judge(const ArchiveDirectory& directory, const Evidenced& known);

/// Adds a judgement to the history of its kind.
/// @param usable what a backup must have reached to count.
void add(KindHistory& kind, const ArchiveJudgement& judgement, ProofLevel usable);

}  // namespace pg_integrity
