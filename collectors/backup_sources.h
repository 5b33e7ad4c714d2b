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
  success,  ///< finished and, of a file, settled and large enough
  failed,   ///< says that it failed, or is too small to be one
  running,  ///< not finished yet
  other,    ///< a status that nobody declared, or a file that cannot be read
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
};

struct KindHistory {
  std::array<double, kBackupStatusNames.size()> runs{};  ///< by status
  double from_the_future = 0;
  std::optional<NewestBackup> newest;
  std::optional<Seconds> oldest_age;  ///< of the oldest success
};

struct BackupHistory {
  std::map<std::string, KindHistory> kinds;  ///< every declared kind
  double unrecognised = 0;                   ///< rows of no declared kind
};

/// @throws SourceError
BackupHistory read_history_table(Session& session, const Schema& schema,
                                 const HistoryTable& history, const std::vector<BackupKind>& kinds);

/// Reads directories; remembers what it learned of archives that have not changed since.
class ArchiveReader {
 public:
  /// @throws SourceError
  BackupHistory read(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                     const std::vector<BackupKind>& kinds);

 private:
  struct Dated {
    UnixTime modified = 0;
    double size = 0;
    UnixTime time = 0;
    std::string time_source;
    bool readable = true;
  };

  const Dated& date(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                    const FileEntry& entry, std::map<std::string, Dated>& known);

  std::map<std::string, Dated> known_;  ///< by path
};

}  // namespace pg_integrity
