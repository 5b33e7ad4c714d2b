// Reads the records that `drill` leaves in its directory: how far each backup was proved, and how
// each restore drill went. Each record is one JSON file, which `drill` replaces atomically.
// exporter/README.md describes the files. The records are values; a reader belongs to one thread.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/json_value.h"
#include "collectors/base/settings.h"
#include "collectors/options/proof_level.h"
#include "collectors/ports/files.h"
#include "collectors/ports/json.h"

namespace pg_integrity {

/// The format of all record files. A file of another format is refused (decode).
inline constexpr int kRecoveryRecordFormat = 1;

/// How far a backup was proved.
struct ProofRecord {
  std::string path;       ///< of the backup
  double inode = 0;       ///< with size and time, tells whether it is still the same backup
  double size = 0;        ///< bytes; for a directory, the sum of the files directly in it
  UnixTime modified = 0;  ///< for a directory, the newest of it and of the files directly in it
  ProofLevel level = ProofLevel::on_record;  ///< highest level reached; on_record if never read
  std::optional<ProofLevel> failed_level;    ///< lowest level that it failed at, above `level`
  std::string disproof;                      ///< why it failed; empty if it did not
  UnixTime checked_at = 0;                   ///< when `level` or `failed_level` was found

  /// Whether the record is about that entry as it is now.
  [[nodiscard]] bool is_of(const std::string& full_path, const FileEntry& entry) const {
    return path == full_path && inode == entry.inode && size == entry.size &&
           modified == entry.modified;
  }
  /// Whether it is known to be damaged, which is more than not known to be good.
  [[nodiscard]] bool disproved() const { return failed_level.has_value(); }
};

enum class DrillOutcome : std::uint8_t {
  success,   ///< restored, and everything compared is as it should be
  failed,    ///< the backup is at fault
  unproven,  ///< the drill could not tell, and the backup is not at fault
};

inline constexpr std::array<std::string_view, 3> kDrillOutcomeNames{"success", "failed",
                                                                    "unproven"};

struct DrillPhase {
  std::string name;
  Seconds took{};
};

struct DrilledTable {
  std::string schema;
  std::string table;
  std::optional<double> rows;              ///< in the copy
  std::optional<double> unexplained_rows;  ///< too many or missing; nullopt if not known
  std::optional<double> orphaned_rows;
  std::string unproven;  ///< why unexplained_rows is not known; empty if it is
};

/// One restore drill.
struct DrillRecord {
  std::string id;  ///< its file's name, without the ending
  std::string server;
  std::string source;
  std::string kind;
  std::string backup;        ///< path
  UnixTime backup_time = 0;  ///< when the backup was begun
  UnixTime started = 0;
  std::optional<UnixTime> target{};        ///< the moment to recover to; nullopt: the newest
  std::optional<double> seed{};            ///< that chose the target at random
  std::optional<UnixTime> recovered_to{};  ///< newest commit that recovery replayed
  Seconds duration{};  ///< until the copy could be used, the measured recovery time
  std::vector<DrillPhase> phases;
  DrillOutcome outcome = DrillOutcome::unproven;
  std::vector<std::string> reasons;  ///< why it is no success, or what it leaves unproven
  std::vector<DrilledTable> tables;

  /// The moment of the source that the copy is of.
  [[nodiscard]] UnixTime recovery_point() const { return recovered_to.value_or(backup_time); }
};

/// A drill that runs, or that was killed.
struct DrillProgress {
  std::string server;
  std::string source;
  std::string kind;
  std::string phase;
  UnixTime started = 0;
  UnixTime written = 0;  ///< when this record was
  double bytes = 0;      ///< done in this phase, as far as known
  double all_bytes = 0;  ///< of this phase; 0: unknown
};

/// @throws SourceError{decode} if the document is no such record of this format.
ProofRecord proof_from(const JsonValue& document);
DrillRecord drill_from(const JsonValue& document);
DrillProgress progress_from(const JsonValue& document);

/// A record file that is there and cannot be used.
struct UnusableRecord {
  std::string file;
  Reason reason{};
  std::string what;
};

template <typename Record>
struct RecordsRead {
  std::vector<Record> records;  ///< by their files' names
  std::vector<UnusableRecord> unusable;
};

/// Reads the records of one sort in a directory. It reads a file again only if it has changed.
template <typename Record>
class RecordReader {
 public:
  /// A missing directory means that there are no records yet.
  /// @throws SourceError if the directory cannot be listed.
  RecordsRead<Record> read(Files& files, const Json& json, const std::string& directory);

 private:
  struct Known {
    FileEntry as;
    Record record;
  };
  std::map<std::string, Known> known_;
};

using ProofReader = RecordReader<ProofRecord>;
using DrillReader = RecordReader<DrillRecord>;
using ProgressReader = RecordReader<DrillProgress>;

extern template class RecordReader<ProofRecord>;
extern template class RecordReader<DrillRecord>;
extern template class RecordReader<DrillProgress>;

}  // namespace pg_integrity
