// What the configuration says of backups: `backups` and `recovery_point_objective` of [[server]].
// Plain values; pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/options/backup_schedule.h"
#include "collectors/options/proof_level.h"

namespace pg_integrity {

/// One kind of backup within a source.
struct BackupKind {
  std::string name;
  std::vector<std::string> values;  ///< history table: texts of the kind column
  std::string pattern;              ///< directory: glob over file names
  BackupSchedule schedule{};        ///< when they are due, if that is promised
  /// Kinds that do for this one: a full backup for an incremental one.
  std::vector<std::string> satisfied_by{};
  Seconds stuck_after{24 * 3600};  ///< what has been running for longer is stuck
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
  std::string finish_column{};  ///< empty: what counts for the schedule is the time column
};

/// A directory that holds archives.
struct ArchiveDirectory {
  std::string path;
  double min_size = 0;                        ///< bytes; a smaller one is no backup
  Seconds settle{};                           ///< changed within this time: still being written
  std::string zone;                           ///< of times in headers and file names
  ProofLevel usable = ProofLevel::plausible;  ///< what one must have reached to count
  std::string database{};     ///< that they must be of, where they tell; empty: of any
  std::string wal_archive{};  ///< where the server archives its log; empty: nobody says
};

enum class CatalogueFormat : std::uint8_t {
  pgbackrest,  ///< pgbackrest info --output=json
  barman,      ///< barman -f json list-backups SERVER
};

struct BackupCatalogue {
  CatalogueFormat format{};
  std::string file;   ///< empty: the program is asked
  std::string name;   ///< stanza of pgBackRest, server of Barman; empty: the only one in it
  Seconds max_age{};  ///< an older file says nothing of what came after it
  std::string zone;   ///< of Barman's backup IDs, which are wall-clock times
  std::vector<std::string> command{};  ///< the program and its arguments; empty: the file is read
  Seconds timeout{};                   ///< of one run of the program
  Seconds refresh{};                   ///< for so long its answer is good for further looks
};

/// The kinds of backup that a catalogue tells apart, each with what does for it.
std::vector<BackupKind> catalogue_kinds(CatalogueFormat format);

/// Where backups are recorded, as the configuration says it: in one of three.
struct BackupSource {
  std::string name;
  std::vector<BackupKind> kinds;
  std::optional<HistoryTable> table;
  std::optional<ArchiveDirectory> directory;
  std::optional<BackupCatalogue> catalogue;
  std::optional<Seconds> retention;  ///< how far back the copies must reach
  std::optional<double> size_ratio_min;
  std::optional<double> room_min;  ///< of a directory: room for so many of the largest one
  std::string location;            ///< where the backups are
  std::string copy_of;             ///< the source of which it holds copies; empty: of none
  std::optional<double> locations_min;
  bool continuous = false;  ///< base backups; the log is archived to where they are

  /// What a backup must have reached to count.
  [[nodiscard]] ProofLevel usable() const {
    return directory ? directory->usable : ProofLevel::on_record;
  }
};

/// The options, as data.
std::span<const Option> backup_options();

/// All sources that the configuration of a server declares. Where proofs are recorded they are
/// asked for, unless a source says otherwise.
/// Takes what it can where check_backups() finds faults.
/// @param server complete settings of one server.
std::vector<BackupSource> backup_sources_from(const Settings& server);

/// Finds what single options cannot show.
void check_backups(const Settings& server, Problems& problems);

}  // namespace pg_integrity
