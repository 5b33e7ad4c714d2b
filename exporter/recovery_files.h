// Writes what collectors/recovery_records reads, and reads and writes what `drill --record` leaves
// beside a dump. Blocks; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/recovery_records.h"

namespace pg_integrity {

/// What a dump's tables held on its own snapshot.
struct DumpRecord {
  struct TableContent {
    std::string schema;
    std::string table;
    double rows = 0;
    std::string content;   ///< digest; empty: rows are counted only
    std::string unproven;  ///< why nothing is known of it; empty: it is
  };

  std::string created;   ///< as the dump's own header says it
  std::string encoding;  ///< of the database
  std::string hash;      ///< hash_sample() of the server that computed the digests
  UnixTime taken_at = 0;
  std::vector<TableContent> tables;

  [[nodiscard]] const TableContent* find(const std::string& schema, const std::string& table) const;
};

/// "/b/a.dump" -> "/b/a.dump.record.json"
std::string path_of_dump_record(const std::string& dump);

/// @throws SourceError{io}
void save_dump_record(const std::string& dump, const DumpRecord& record);
/// Nothing if there is none. @throws SourceError: decode, io, permission.
std::optional<DumpRecord> load_dump_record(const Json& json, Files& files, const std::string& dump);

/// Its name is that of its path: a later one of the same backup takes its place.
/// @throws SourceError{io}
void save_proof(const std::string& directory, const ProofRecord& proof);
/// @throws SourceError{io}
void save_drill(const std::string& directory, const DrillRecord& drill);
/// Removes what writers that were killed had begun. @throws SourceError{io}
void remove_unfinished(const std::string& directory);
/// Removes records beyond the newest `keep` of that source and kind, but never the newest success.
void thin_drills(const std::string& directory, const std::vector<DrillRecord>& drills,
                 const DrillRecord& newest, std::size_t keep);

}  // namespace pg_integrity
