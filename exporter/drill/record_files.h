// Writes what collectors/recovery/drill_records reads, and reads and writes what `drill --record`
// leaves beside a dump. Blocks; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/ports/files.h"
#include "collectors/ports/json.h"
#include "collectors/recovery/drill_records.h"
#include "exporter/drill/dump_record.h"

namespace pg_integrity {

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
