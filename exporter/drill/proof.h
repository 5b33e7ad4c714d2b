// How far a backup is good, without restoring it: its table of contents, and all of it decoded.
#pragma once

#include "collectors/ports/files.h"
#include "collectors/recovery/drill_records.h"
#include "exporter/io/child_process.h"
#include "exporter/io/interruption.h"

namespace pg_integrity {

/// The backup as it is now, with nothing proved of it. @throws SourceError{io}
ProofRecord unproved(Files& files, const std::string& path);

/// Proves levels 2 and 3 and fills in how far it came.
/// @param wal_archive where base backups find log that they do not hold; may be empty.
/// @throws SourceError if it cannot be told; Interrupted.
void prove(Interruption& interruption, ProofRecord& proof, const std::string& wal_archive);

}  // namespace pg_integrity
