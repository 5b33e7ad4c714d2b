// What is known of the backups of a source, in one form for all sources.
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
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"
#include "collectors/recovery/backup_schedule.h"

namespace pg_integrity {

enum class BackupStatus : std::uint8_t {
  success,  ///< finished and, of a file, settled, large enough, and plausible
  failed,   ///< says that it failed, is too small to be one, or lacks a part
  running,  ///< not finished yet
  stuck,    ///< says that it runs, for longer than it may: whoever made it is likely gone
  other,    ///< a status that nobody declared, or an entry that is no backup or cannot be read
};

inline constexpr std::array<std::string_view, 5> kBackupStatusNames{"success", "failed", "running",
                                                                    "stuck", "other"};

/// A backup that succeeded.
struct NewestBackup {
  UnixTime time = 0;           ///< of what it holds: when it was started
  Seconds age{};               ///< by the clock of whoever recorded it
  std::optional<double> size;  ///< bytes
  std::string time_source;     ///< table, catalogue, header, name or mtime
  ProofLevel level = ProofLevel::on_record;
  /// Since it was finished, where that is on record.
  std::optional<Seconds> finished_age{};
  std::string name{};  ///< of a directory: of the file or folder in it
};

/// An entry of a directory that may be a backup, and cannot be read.
struct Unreadable {
  UnixTime changed = 0;  ///< infinite: unknown
  Reason reason{};       ///< permission or io
  std::string what;
};

/// An entry of a directory that was read and does not count.
struct Rejected {
  UnixTime changed = 0;
  std::string name;
  std::string why;
  bool failed = false;  ///< it is a backup, but not a good one; false: it is none
};

struct KindHistory {
  std::array<double, kBackupStatusNames.size()> runs{};  ///< by status
  double from_the_future = 0;
  /// Of those that count, which have reached the level that is asked for.
  std::optional<NewestBackup> newest;
  std::optional<Seconds> oldest_age;
  /// Successes that have not reached it, and the newest of them.
  double waiting = 0;
  std::optional<NewestBackup> newest_waiting;
  double disproved = 0;                 ///< a proof failed on them
  double base_backups = 0;              ///< of pg_basebackup, finished
  double without_log = 0;               ///< of those, lacking log that they need up to their stop
  std::optional<Seconds> finished_age;  ///< since one that counts was finished, if on record
  std::optional<Seconds>
      proven_age;  ///< of the newest that was looked into: of level contents and up
  std::map<UnixTime, double> sizes;             ///< of those that count, by their time
  std::optional<Unreadable> newest_unreadable;  ///< of a directory
  std::optional<Rejected> newest_rejected;      ///< of a directory

  /// A backup that succeeded.
  /// @param usable what one must have reached to count.
  void add(const NewestBackup& backup, ProofLevel usable);

  /// The newest one's size to the median of up to seven before it; nothing if there are fewer than
  /// three.
  [[nodiscard]] std::optional<double> size_ratio() const;

  /// Of the largest of the up to seven newest, bytes; nothing if the size of none is known.
  [[nodiscard]] std::optional<double> largest_size() const;

 private:
  [[nodiscard]] std::vector<double> newest_sizes(std::size_t most) const;
};

struct BackupHistory {
  std::map<std::string, KindHistory> kinds;  ///< every declared kind
  double unrecognised = 0;                   ///< rows of no declared kind
};

/// Keeps the smaller of two ages; an unknown one changes nothing.
void keep_youngest(std::optional<Seconds>& age, const std::optional<Seconds>& other);

/// With every declared kind, and nothing in it.
BackupHistory empty_history(const std::vector<BackupKind>& kinds);

/// What does for a kind counts for it, too.
void apply_satisfied_by(const std::vector<BackupKind>& kinds, BackupHistory& history);

}  // namespace pg_integrity
