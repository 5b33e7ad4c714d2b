// A directory that holds archives: which of them are backups, of when, and how far they were
// proved.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/options/backups.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/files.h"
#include "collectors/recovery/archive_check.h"
#include "collectors/recovery/backup_history.h"
#include "collectors/recovery/drill_records.h"

namespace pg_integrity {

/// Newest records by the path that they are about.
using Proofs = std::map<std::string, ProofRecord>;

/// Reads a directory; remembers what it learned of archives that have not changed since, also of
/// those it saw before a deadline ended its look: the next one gets further.
class ArchiveReader {
 public:
  /// @param directory always the same one.
  /// @param proofs of what was looked into; those of other files, or of these before they changed,
  /// say nothing.
  /// @throws SourceError
  BackupHistory read(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                     const std::vector<BackupKind>& kinds, const Proofs& proofs = {});

 private:
  struct Look {
    UnixTime modified = 0;
    double size = 0;
    ArchiveVerdict verdict;
    NewestBackup backup;                   ///< of a plausible one
    std::optional<Unreadable> unreadable;  ///< such a one is not remembered
    /// Of a base backup: the segments that it needs and does not hold itself.
    std::optional<std::vector<std::string>> wal_elsewhere;
    UnixTime changed_within = 0;  ///< of one without a manifest: when anything in it last changed
  };

  Look look_at(Files& files, const Clock& clock, const ArchiveDirectory& directory,
               const FileEntry& entry);
  /// The first segment that a base backup needs and that is nowhere; empty: all are there.
  /// @throws SourceError if the archive of the log cannot be read.
  std::string missing_segment(Files& files, const ArchiveDirectory& directory, const Look& look);
  BackupStatus classify(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                        const FileEntry& entry, const Proofs& proofs, KindHistory& kind);

  std::map<std::string, Look> known_;                 ///< by name within the directory
  std::optional<std::vector<std::string>> archived_;  ///< names, read once a look
};

}  // namespace pg_integrity
