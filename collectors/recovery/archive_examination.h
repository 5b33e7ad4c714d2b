// Reads one entry of a backup directory, as far as proof level 1 needs it. It judges no schedule,
// no proof and no other entry. One thread.
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
  NewestBackup backup;                   ///< if plausible; its age is not filled in yet
  std::optional<Unreadable> unreadable;  ///< set if it may be a backup and could not be read
  /// Base backups only: the WAL segments that it needs and does not hold itself.
  std::optional<std::vector<std::string>> wal_elsewhere;
  UnixTime changed_within = 0;  ///< base backup without a manifest: newest change in its folder
};

/// Reads both ends of a file, or the files of a folder that describe it.
/// @throws SourceError if the directory or bucket as a whole cannot be read: timeout, connect and
/// the like. Any other error that keeps the entry from being read is part of the result.
Examination examine(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                    const FileEntry& entry);

}  // namespace pg_integrity
