// Decides what one entry of a backup directory counts as, and adds up the decisions about all
// entries. Pure functions; safe on any thread.
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
  std::optional<Unreadable> trouble;  ///< set if it could not be listed

  /// The first needed segment that is missing; empty if none is.
  [[nodiscard]] std::string first_missing(const std::vector<std::string>& needed) const;
};

/// All that is known of one entry when it is judged.
struct Evidenced {
  const FileEntry& entry;
  const Examination& examination;
  const ArchivedLog& log;              ///< empty where the entry needs none of it
  const ProofRecord* proof = nullptr;  ///< about the entry as it is now; nullptr if there is none
  bool grows = false;                  ///< larger than at the last examination, with the same time
};

struct ArchiveJudgement {
  BackupStatus status = BackupStatus::other;
  std::optional<NewestBackup> backup{};    ///< of a success
  std::optional<Rejected> rejected{};      ///< why it does not count
  std::optional<Unreadable> unreadable{};  ///< set if it may be a backup and could not be read
  bool base_backup = false;                ///< a finished one of pg_basebackup
  bool without_log = false;                ///< a base backup that lacks WAL up to its stop
  bool disproved = false;                  ///< a proof failed on it
};

/// Judges an entry without reading it: it is not a file or folder, too young or too small.
/// @return nullopt if the entry must be examined.
std::optional<ArchiveJudgement> judge_unread(const ArchiveDirectory& directory,
                                             const FileEntry& entry);

/// Judges an entry that was examined.
ArchiveJudgement judge(const ArchiveDirectory& directory, const Evidenced& known);

/// Adds a judgement to the history of its kind.
/// @param usable the proof level that a backup must have reached to count.
void add(KindHistory& kind, const ArchiveJudgement& judgement, ProofLevel usable);

}  // namespace pg_integrity
