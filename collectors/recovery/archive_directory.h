// Reads a directory of archives and tells which of them are backups, when they were made and how
// far they were proved. It lists the directory once for all kinds, examines entries that have
// changed, judges each entry, and adds the judgements up.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/options/backups.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/files.h"
#include "collectors/recovery/archive_examination.h"
#include "collectors/recovery/archive_judgement.h"
#include "collectors/recovery/backup_history.h"
#include "collectors/recovery/backup_list.h"
#include "collectors/recovery/drill_records.h"
#include "collectors/recovery/read_backups.h"

namespace pg_integrity {

/// The ending of the file beside a backup that holds its digest, as sha256sum prints it.
inline constexpr std::string_view kDigestEnding = ".sha256";

/// Reads one directory. It remembers what it found in archives that have not changed since, even if
/// a deadline ended the call that examined them. The next call then gets further. One thread.
class ArchiveReader {
 public:
  /// @param directory must be the same one at each call.
  /// @param proofs what was proved earlier. A record of another file, or of an earlier version of
  /// this one, is not used.
  /// @param list gets every entry; nullptr: nobody wants them.
  /// @throws SourceError if the directory cannot be listed, or time is up.
  BackupHistory read(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                     const std::vector<BackupKind>& kinds, const Proofs& proofs = {},
                     BackupList* list = nullptr) {
    return read(files, clock, directory, kinds, proofs, std::function<bool()>(), list);
  }
  /// As read(), where each entry costs requests. The newest and the oldest entries that the answer
  /// rests on are examined first. Then others are, for as long as `may_go_on` is true. Those that
  /// are left count as unread, and are not in the list.
  BackupHistory read(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                     const std::vector<BackupKind>& kinds, const Proofs& proofs,
                     const std::function<bool()>& may_go_on, BackupList* list = nullptr);

 private:
  /// An entry's time, size and examination, as they were when it was examined.
  struct Known {
    UnixTime modified = 0;
    double size = 0;
    double inode = 0;
    Examination examination;
  };

  /// One call of read().
  class Reading;

  [[nodiscard]] bool is_known(const FileEntry& entry) const;
  ArchiveJudgement judge_entry(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                               const FileEntry& entry, const Proofs& proofs);
  Examination examined(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                       const FileEntry& entry);
  const ArchivedLog& archived_log(Files& files, const ArchiveDirectory& directory);

  std::map<std::string, Known> known_;  ///< by name within the directory
  std::optional<ArchivedLog> log_;      ///< listed at most once in a call of read()
};

}  // namespace pg_integrity
