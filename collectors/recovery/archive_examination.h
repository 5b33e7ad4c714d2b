// What one entry of a backup directory holds, as far as it is read for proof level 1. It reads and
// judges no schedule, no proof and no other entry. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/options/backups.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/files.h"
#include "collectors/recovery/archive_check.h"
#include "collectors/recovery/backup_history.h"

namespace pg_integrity {

/// How many files one folder may hold.
inline constexpr std::size_t kMaxMembers = 200000;

struct Examination {
  ArchiveVerdict verdict;
  NewestBackup backup;                   ///< of a plausible one; its age is not known yet
  std::optional<Unreadable> unreadable;  ///< it may be a backup, and could not be read
  /// Of a base backup: the segments that it needs and does not hold itself.
  std::optional<std::vector<std::string>> wal_elsewhere;
  UnixTime changed_within = 0;  ///< of one without a manifest: when anything in it last changed
};

/// Reads the two ends of a file, or what tells of a folder.
/// @throws SourceError{timeout}; whatever else keeps the entry from being read is in the result.
Examination examine(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                    const FileEntry& entry);

}  // namespace pg_integrity
