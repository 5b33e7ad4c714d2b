// Where backups are recorded: a history table or a directory of archives, read into one common
// form.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/schema.h"
#include "collectors/sources.h"

namespace pg_integrity {

enum class BackupStatus : std::uint8_t {
  success,  ///< finished and, of a file, settled, large enough and recognised as a backup
  failed,   ///< says that it failed, or is too small to be one
  running,  ///< not finished yet
  other,    ///< a status that nobody declared, or an entry that is no backup or cannot be read
};

inline constexpr std::array<std::string_view, 4> kBackupStatusNames{"success", "failed", "running",
                                                                    "other"};

/// One kind of backup within a source.
struct BackupKind {
  std::string name;
  std::vector<std::string> values;  ///< history table: texts of the kind column
  std::string pattern;              ///< directory: glob over file names
  std::optional<Seconds> every;     ///< its schedule; nothing: none is promised
  Seconds grace{};
};

/// A table in which somebody writes down each backup.
struct HistoryTable {
  QualifiedName table;
  std::string time_column;
  std::string kind_column;
  std::string status_column;  ///< empty: every row is a success
  std::vector<std::string> success, failed, running;
  std::vector<std::string> ignore;  ///< texts of the kind column that are no backups
  std::string zone;
};

/// A directory that holds archives.
struct ArchiveDirectory {
  std::string path;
  double min_size = 0;  ///< bytes; a smaller one is no backup
  Seconds settle{};     ///< changed within this time: still being written
  std::string zone;     ///< of times in headers and file names
};

/// The newest success of a kind.
struct NewestBackup {
  UnixTime time = 0;
  Seconds age{};               ///< by the clock of whoever recorded it
  std::optional<double> size;  ///< bytes
  std::string time_source;     ///< table, header, name or mtime
  std::string name;            ///< of a directory: of the file or folder in it
};

/// An entry of a directory that may be a backup, and cannot be read.
struct Unreadable {
  UnixTime changed = 0;  ///< infinite: unknown
  Reason reason{};       ///< permission or io
  std::string what;
};

struct KindHistory {
  std::array<double, kBackupStatusNames.size()> runs{};  ///< by status
  double from_the_future = 0;
  std::optional<NewestBackup> newest;
  std::optional<Seconds> oldest_age;            ///< of the oldest success
  std::optional<Unreadable> newest_unreadable;  ///< of a directory
};

struct BackupHistory {
  std::map<std::string, KindHistory> kinds;  ///< every declared kind
  double unrecognised = 0;                   ///< rows of no declared kind
};

/// @throws SourceError
BackupHistory read_history_table(Session& session, const Schema& schema,
                                 const HistoryTable& history, const std::vector<BackupKind>& kinds);

/// Reads a directory; remembers what it learned of archives that have not changed since, also of
/// those it saw before a deadline ended its look: the next one gets further.
class ArchiveReader {
 public:
  /// @param directory always the same one.
  /// @throws SourceError
  BackupHistory read(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                     const std::vector<BackupKind>& kinds);

 private:
  struct Dated {
    UnixTime modified = 0;
    double size = 0;
    std::optional<NewestBackup> backup;    ///< nothing: it is no backup, or cannot be read
    std::optional<Unreadable> unreadable;  ///< such a one is not remembered
  };

  Dated date(Files& files, const Clock& clock, const ArchiveDirectory& directory,
             const FileEntry& entry);
  BackupStatus classify(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                        const FileEntry& entry, KindHistory& kind);

  std::map<std::string, Dated> known_;  ///< by name within the directory
};

}  // namespace pg_integrity
