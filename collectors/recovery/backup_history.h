// The backups of a source, in one form for all sources. Values; safe on any thread.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/options/backups.h"
#include "collectors/options/proof_level.h"
#include "collectors/ports/files.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"
#include "collectors/recovery/backup_schedule.h"

namespace pg_integrity {

enum class BackupStatus : std::uint8_t {
  success,  ///< finished and, of a file, settled, large enough, and plausible
  failed,   ///< says that it failed, is too small, lacks a part, or failed a proof
  running,  ///< not finished yet
  stuck,    ///< says that it runs, for longer than it may; its program is likely gone
  other,    ///< a status that nobody declared, or an entry that is no backup or cannot be read
};

inline constexpr std::array<std::string_view, 5> kBackupStatusNames{"success", "failed", "running",
                                                                    "stuck", "other"};

/// A backup that succeeded.
struct NewestBackup {
  UnixTime time = 0;           ///< when it was started, which is the time of its content
  Seconds age{};               ///< by the clock of the machine that recorded it
  std::optional<double> size;  ///< bytes
  std::string time_source;     ///< table, catalogue, header, name or mtime
  ProofLevel level = ProofLevel::on_record;
  std::optional<Seconds> finished_age{};  ///< since it was finished, if on record
  std::string name{};  ///< of the file or folder, for a source that is a directory
  FileEntry entry{};   ///< the same, as it was listed
};

/// An entry of a directory that may be a backup and cannot be read.
struct Unreadable {
  UnixTime changed = 0;  ///< infinite if unknown
  Reason reason{};       ///< permission or io
  std::string what;
};

/// An entry of a directory that was read and does not count.
struct Rejected {
  UnixTime changed = 0;
  std::string name;
  std::string why;
  bool failed = false;  ///< whether it is a backup, but not a good one
};

struct KindHistory {
  std::array<double, kBackupStatusNames.size()> runs{};  ///< by status
  double from_the_future = 0;
  std::optional<NewestBackup> newest;  ///< that counts, so it has reached the required proof level
  std::optional<Seconds> oldest_age;   ///< of those that count
  double waiting = 0;                  ///< successes below the required proof level
  std::optional<NewestBackup> newest_waiting;  ///< the newest of them
  double disproved = 0;                        ///< a proof failed on them
  double unread = 0;                           ///< entries that nobody has examined yet
  double base_backups = 0;                     ///< of pg_basebackup, finished
  double without_log = 0;                      ///< base backups that lack WAL up to their stop
  std::optional<Seconds> finished_age;         ///< since one that counts was finished, if on record
  std::optional<Seconds> proven_age;  ///< of the newest that counts, of proof level 2 or more
  std::map<UnixTime, double> sizes;   ///< bytes of those that count, by their time
  std::optional<Unreadable> newest_unreadable;  ///< of a directory
  std::optional<Rejected> newest_rejected;      ///< of a directory

  /// Adds a backup that succeeded.
  /// @param usable the proof level that a backup must have reached to count.
  void add(const NewestBackup& backup, ProofLevel usable);

  /// The size of the newest backup, divided by the median of up to seven before it.
  /// @return nullopt if there are fewer than three before it, or the median is 0.
  [[nodiscard]] std::optional<double> size_ratio() const;

  /// The size of the largest of up to seven newest backups, in bytes.
  /// @return nullopt if the size of none is known.
  [[nodiscard]] std::optional<double> largest_size() const;

 private:
  [[nodiscard]] std::vector<double> newest_sizes(std::size_t most) const;
};

/// One of several repositories of a source.
struct RepositoryHistory {
  std::map<std::string, KindHistory> kinds;  ///< every declared kind, by name
  std::optional<SourceError> trouble;        ///< why it could not be read
};

struct BackupHistory {
  std::map<std::string, KindHistory> kinds;  ///< every declared kind, by name, of all repositories
  double unrecognised = 0;                   ///< rows or backups of no declared kind
  /// By their names. Empty if there is one alone, or the source does not tell them apart.
  std::map<std::string, RepositoryHistory> repositories{};
};

/// Keeps the smaller of two ages. An unknown one changes nothing.
void keep_youngest(std::optional<Seconds>& age, const std::optional<Seconds>& other);

/// A history with every declared kind and no backup.
BackupHistory empty_history(const std::vector<BackupKind>& kinds);

/// Lets the backups of a kind count for each kind that it satisfies.
void apply_satisfied_by(const std::vector<BackupKind>& kinds, BackupHistory& history);

}  // namespace pg_integrity
