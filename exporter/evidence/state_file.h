// The state file: a SavedEvidence on disk, in JSON, replaced atomically. It is a cache: a missing,
// damaged or newer one costs its evidence and nothing else.
#pragma once

#include <memory>
#include <string>

#include "collectors/ports/clock.h"
#include "exporter/evidence/saved_evidence.h"

namespace pg_integrity {

/// Writes `directory`/evidence.json through a temporary file beside it. Blocks: call it on a
/// worker.
/// @throws SourceError{io}
void save_state(const std::string& directory, const SavedEvidence& saved, const Clock& clock);

/// Evidence that was written later than it is now (the wall clock was set back, nobody knows by how
/// much) is taken for old: what was violated stays so, nothing else counts as recent. Logged.
/// @throws SourceError: io if there is a file that cannot be read, decode if it is not a state of
/// this version. No file means no evidence.
SavedEvidence load_state(const std::string& directory, const Clock& clock);

/// As load_state(), but none, after one line in the log, if it cannot be used.
std::shared_ptr<const SavedEvidence> evidence_on_record(const std::string& directory,
                                                        const Clock& clock);

}  // namespace pg_integrity
