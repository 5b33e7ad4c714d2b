// What `drill` leaves in its directory for others to read: how far each backup was proved, and how
// each restore drill went. One JSON file a record, replaced atomically; exporter/README.md says
// what is in them. Values; a reader belongs to one thread.
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

/// Of all record files. One of another format is refused (decode).
inline constexpr int kRecoveryRecordFormat = 1;

/// How far a backup was proved.
struct ProofRecord {
  std::string path;       ///< of the backup
  double inode = 0;       ///< these three say whether it is still the same one
  double size = 0;        ///< bytes; of a directory the sum of the files directly in it
  UnixTime modified = 0;  ///< of a directory the newest of it and of the files directly in it
  /// The highest that it reached by being read; on_record: it was not read.
  ProofLevel level = ProofLevel::on_record;
  std::optional<ProofLevel> failed_level;  ///< the lowest that it failed at, above `level`
  std::string disproof;                    ///< why it failed; empty: it did not
  UnixTime checked_at = 0;                 ///< when `level` or `failed_level` was found

  /// The record is of that entry, as it is now.
  [[nodiscard]] bool is_of(const std::string& full_path, const FileEntry& entry) const {
    return path == full_path && inode == entry.inode && size == entry.size &&
           modified == entry.modified;
  }
  /// It is known to be damaged, which is more than not known to be good.
  [[nodiscard]] bool disproved() const { return failed_level.has_value(); }
};

enum class DrillOutcome : std::uint8_t {
  success,   ///< restored, and everything compared is as it should be
  failed,    ///< the backup's fault
  unproven,  ///< it could not be told: not the backup's fault
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
  std::optional<double> rows;  ///< in the copy
  /// Rows that are there and should not be, or should be and are not; nothing: it cannot be told.
  std::optional<double> unexplained_rows;
  std::optional<double> orphaned_rows;
  std::string unproven;  ///< why it cannot be told; empty: it was
};

/// One restore drill. What it says of the past stays true.
struct DrillRecord {
  std::string id;  ///< its file's name, without the ending
  std::string server;
  std::string source;
  std::string kind;
  std::string backup;        ///< path
  UnixTime backup_time = 0;  ///< when the backup was begun: the recovery point
  UnixTime started = 0;
  Seconds duration{};  ///< until the copy could be used: the measured recovery time
  std::vector<DrillPhase> phases;
  DrillOutcome outcome = DrillOutcome::unproven;
  std::vector<std::string> reasons;  ///< why it is no success, or what it leaves unproven
  std::vector<DrilledTable> tables;
};

/// @throws SourceError{decode} if it is no such record of this format.
ProofRecord proof_from(const JsonValue& document);
DrillRecord drill_from(const JsonValue& document);

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

/// Reads the records of one sort in a directory; files that have not changed are not read again.
template <typename Record>
class RecordReader {
 public:
  /// No directory means no records yet.
  /// @throws SourceError
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

extern template class RecordReader<ProofRecord>;
extern template class RecordReader<DrillRecord>;

}  // namespace pg_integrity
