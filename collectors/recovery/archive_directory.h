// A directory that holds archives: which of them are backups, of when, and how far they were
// proved. It lists the directory once for all kinds, examines what has changed, judges each entry,
// and adds the judgements up.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/options/backups.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/files.h"
#include "collectors/recovery/archive_examination.h"
#include "collectors/recovery/archive_judgement.h"
#include "collectors/recovery/backup_history.h"
#include "collectors/recovery/drill_records.h"

namespace pg_integrity {

/// Newest records by the path that they are about.
using Proofs = std::map<std::string, ProofRecord>;

/// Reads a directory. It remembers what it learned of archives that have not changed since, also of
/// those that it examined before a deadline ended a call, so that the next call gets further. One
/// thread.
class ArchiveReader {
 public:
  /// @param directory always the same one.
  /// @param proofs of what was read before; those of other files, or of these before they changed,
  /// say nothing.
  /// @throws SourceError
  BackupHistory read(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                     const std::vector<BackupKind>& kinds, const Proofs& proofs = {});

 private:
  /// An entry as it was when it was examined.
  struct Known {
    UnixTime modified = 0;
    double size = 0;
    Examination examination;
  };

  ArchiveJudgement judge_entry(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                               const FileEntry& entry, const Proofs& proofs);
  Examination examined(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                       const FileEntry& entry);
  const ArchivedLog& archived_log(Files& files, const ArchiveDirectory& directory);

  std::map<std::string, Known> known_;  ///< by name within the directory
  std::optional<ArchivedLog> log_;      ///< listed at most once a call of read()
};

}  // namespace pg_integrity
