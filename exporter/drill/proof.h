// Proves how far a backup is good without restoring it. Reads its table of contents, then decodes
// all of it. Blocks; one thread.
#pragma once

#include "collectors/ports/files.h"
#include "collectors/recovery/drill_records.h"
#include "exporter/io/child_process.h"
#include "exporter/io/sandbox.h"

namespace pg_integrity {

/// A record of the backup as it is now, with nothing proved.
/// @throws SourceError{missing} if it does not exist; with another reason if it cannot be listed.
ProofRecord unproved(Files& files, const std::string& path);

/// Tries proof levels 2 and 3, and writes the result into `proof`.
/// @param wal_archive the directory of WAL that a base backup does not hold; may be empty.
/// @throws SourceError if the tools cannot tell; Interrupted.
void prove(Children& children, const Sandbox& sandbox, ProofRecord& proof,
           const std::string& wal_archive);

}  // namespace pg_integrity
