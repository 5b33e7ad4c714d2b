// The configuration of backups: `backups` and `recovery_point_objective` of [[server]]. Plain
// values; pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/bucket.h"
#include "collectors/base/instant.h"
#include "collectors/base/json_pointer.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/options/backup_schedule.h"
#include "collectors/options/proof_level.h"

namespace pg_integrity {

/// Lines of configuration to copy, for who has told nothing of backups.
inline constexpr std::string_view kBackupSnippet = R"([[server.backups]]
name = "nightly"
directory = "/var/backups/shop"
pattern = "*.dump"
every = "24h"
retention = "7d")";

/// One kind of backup within a source.
struct BackupKind {
  std::string name;
  std::vector<std::string> values;  ///< texts of the kind column, or at the pointer `kind`
  std::string pattern;  ///< glob over file names, or over the texts of a catalogue by pointers
  BackupSchedule schedule{};  ///< when they are due, if a schedule is promised
  /// Kinds that satisfy this one. For example, a full backup satisfies an incremental one.
  std::vector<std::string> satisfied_by{};
  Seconds stuck_after{24 * 3600};  ///< a backup that has been running for longer is stuck
};

/// A table in which another program notes each backup.
struct HistoryTable {
  QualifiedName table;
  std::string time_column;
  std::string kind_column;
  std::string status_column;  ///< if empty, every row is a success
  std::vector<std::string> success, failed, running;
  std::vector<std::string> ignore;  ///< texts of the kind column that mean no backup
  std::string zone;
  std::string finish_column{};  ///< empty: the schedule is held against the time column
};

/// A directory that holds archives.
struct ArchiveDirectory {
  std::string path;
  double min_size = 0;  ///< bytes; a smaller file is no backup
  Seconds settle{};     ///< a file that changed within this time is still being written
  std::string zone;     ///< of times in headers and file names
  ProofLevel usable = ProofLevel::plausible;  ///< the level that an archive must reach to count
  std::string database{};     ///< archives that name another database do not count; empty: any
  std::string wal_archive{};  ///< where the server archives its WAL, if known
  bool encrypted = false;     ///< what gpg, age or openssl encrypted counts, unread
  /// Whether the exporter reads the backups to their end. Nothing: on local file systems alone.
  std::optional<bool> proof{};
  std::size_t max_entries = 10000;  ///< a directory with more is an error
};

/// A bucket that holds archives.
struct ArchiveBucket {
  Bucket at;
  ArchiveDirectory archives;  ///< the same as a directory; its path is that of the bucket
};

enum class CatalogueFormat : std::uint8_t {
  pgbackrest,  ///< pgbackrest info --output=json
  barman,      ///< barman -f json list-backups SERVER
  pointers,    ///< any other program that prints JSON; see CataloguePointers
};

/// Where the JSON of a catalogue has what. All pointers but `list` start at a backup.
struct CataloguePointers {
  JsonPointer list;  ///< the array of backups
  JsonPointer time;  ///< when it was started
  std::optional<JsonPointer> finished, kind, status, name, size;
  std::vector<std::string> success, failed, running;  ///< texts at `status`
  std::vector<std::string> ignore;                    ///< texts at `kind` that mean no backup
  double size_unit = 1;                               ///< bytes
};

struct BackupCatalogue {
  CatalogueFormat format{};
  std::string file;   ///< if empty, the program is run
  std::string name;   ///< stanza of pgBackRest, server of Barman; empty: the only one in it
  Seconds max_age{};  ///< a file older than this says nothing about newer backups
  std::string zone;   ///< of times that name none, such as Barman's backup IDs
  std::vector<std::string> command{};        ///< program and arguments; empty: the file is read
  Seconds timeout{};                         ///< for one run of the program
  Seconds refresh{};                         ///< how long its answer is reused
  std::optional<double> repository{};        ///< pgBackRest's number of the only one that counts
  std::vector<std::string> drill_command{};  ///< program and options, to restore with
  std::optional<CataloguePointers> pointers{};
};

/// The kind of a drill that recovers from a catalogue's newest backup and the archived WAL.
inline constexpr const char* kRecoveryKind = "recovery";

/// The kinds of backup that a program distinguishes, each with the kinds that satisfy it. With
/// pointers the configuration names them, and there are none.
std::vector<BackupKind> catalogue_kinds(CatalogueFormat format);

/// A source of backups, as configured. It is a table, a directory, a bucket or a catalogue.
struct BackupSource {
  std::string name;
  std::vector<BackupKind> kinds;
  std::optional<HistoryTable> table;
  std::optional<ArchiveDirectory> directory;
  std::optional<ArchiveBucket> bucket;
  std::optional<BackupCatalogue> catalogue;
  std::optional<Seconds> retention;  ///< how far back the backups must reach
  std::optional<double> size_ratio_min;
  std::optional<double> room_min;  ///< directory: free space, in multiples of the largest backup
  std::string location;            ///< where the backups are
  std::string copy_of;             ///< the source whose backups it holds copies of, if any
  std::optional<double> locations_min;
  std::vector<std::string> leaves_out;  ///< globs over "schema.table" that its backups lack
  bool continuous = false;              ///< base backups; the WAL is archived to the same place
  /// How old the newest proof of its backups may be. Nothing: a week, and nobody is alerted.
  std::optional<Seconds> proof_max_age{};

  /// Whether its backups are files that we look into.
  [[nodiscard]] bool holds_archives() const { return directory || bucket; }

  /// The proof level that a backup must reach to count.
  [[nodiscard]] ProofLevel usable() const {
    return directory ? directory->usable : ProofLevel::on_record;
  }
};

/// The options, as data.
std::span<const Option> backup_options();

/// All sources that the configuration of a server declares. If the server has `drills`, an archive
/// of a directory must reach level `contents` to count, unless the source sets `usable`. If
/// check_backups() finds faults, this function takes what it can.
/// @param server the complete settings of one server.
std::vector<BackupSource> backup_sources_from(const Settings& server);

/// Finds faults that single options cannot show.
void check_backups(const Settings& server, Problems& problems);

}  // namespace pg_integrity
