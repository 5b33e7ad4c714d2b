// Converts saved evidence to the section "evidence" of the state file, and back. Pure functions,
// apart from the clock and the log.
#pragma once

#include <memory>

#include "collectors/ports/clock.h"
#include "exporter/evidence/recorded_times.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/state_file.h"
#include "exporter/evidence/state_section.h"

namespace pg_integrity {

StateSection section_of(const SavedEvidence& saved, const Clock& clock);

/// Reads a section. Collectors that this program does not have are left out.
/// @throws SourceError{decode}
SavedEvidence evidence_from(const StateSection& section, const RecordedTimes& times);

/// @return the evidence of a state file, empty if the file has none that can be used.
std::shared_ptr<const SavedEvidence> evidence_on_record(const SavedState& state,
                                                        const Clock& clock);

}  // namespace pg_integrity
