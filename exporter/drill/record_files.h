// Writes the records that collectors/recovery/drill_records reads. Reads and writes the record that
// `drill --record` leaves beside a dump. Blocks; any thread.
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

/// The path of a dump's record. For "/b/a.dump" it is "/b/a.dump.record.json".
std::string path_of_dump_record(const std::string& dump);

/// The mode of a dump and of its record: for its owner alone, or also for the group of its folder
/// if that hands its group on to new files (setgid).
unsigned mode_of_dump(const std::string& path);
/// @throws SourceError{io}
void save_dump_record(const std::string& dump, const DumpRecord& record);
/// @return nullopt if there is no record.
/// @throws SourceError{decode, io or permission}
std::optional<DumpRecord> load_dump_record(const Json& json, Files& files, const std::string& dump);

/// Saves a proof record under a name made of the backup's path. A later record of the same backup
/// replaces it.
/// @throws SourceError{io}
void save_proof(const std::string& directory, const ProofRecord& proof);
/// @throws SourceError{io}
void save_drill(const std::string& directory, const DrillRecord& drill);
/// Saves how far a drill has come. A later one of the same server, source and kind replaces it.
/// @throws SourceError{io}
void save_progress(const std::string& directory, const DrillProgress& progress);
void remove_progress(const std::string& directory, const DrillProgress& progress);
/// Removes the unfinished files of writers that were killed.
/// @throws SourceError{io}
void remove_unfinished(const std::string& directory);
/// Removes the drill records of `newest`'s server, source and kind, except the newest `keep` of
/// them and the newest success.
void thin_drills(const std::string& directory, const std::vector<DrillRecord>& drills,
                 const DrillRecord& newest, std::size_t keep);

}  // namespace pg_integrity
