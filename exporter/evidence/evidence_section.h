// Converts saved evidence to sections of the state file, and back. The section "inventory" has what
// collectors remember; the section "evidence" has all else. Pure functions, apart from the clock
// and the log.
#pragma once

#include <memory>
#include <vector>

#include "collectors/ports/clock.h"
#include "exporter/evidence/recorded_times.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/state_file.h"
#include "exporter/evidence/state_section.h"

namespace pg_integrity {

StateSection section_of(const SavedEvidence& saved, const Clock& clock);
StateSection memory_section_of(const SavedEvidence& saved);
/// All sections of the evidence.
std::vector<StateSection> sections_of(const SavedEvidence& saved, const Clock& clock);

/// Reads a section. Collectors that this program does not have are left out.
/// @throws SourceError{decode}
SavedEvidence evidence_from(const StateSection& section, const RecordedTimes& times);

/// Adds what collectors remember. Collectors that this program does not have are left out.
/// @throws SourceError{decode} with nothing added.
void add_memory(const StateSection& section, SavedEvidence& saved);

/// @return the evidence of a state file, empty if the file has none that can be used.
std::shared_ptr<const SavedEvidence> evidence_on_record(const SavedState& state,
                                                        const Clock& clock);

}  // namespace pg_integrity
