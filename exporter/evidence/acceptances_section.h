// Acceptances that somebody told a running exporter, as a section of the state file. Pure
// functions.
#pragma once

#include <vector>

#include "collectors/options/accept.h"
#include "exporter/evidence/state_file.h"
#include "exporter/evidence/state_section.h"

namespace pg_integrity {

StateSection section_of(const std::vector<ServerAcceptance>& acceptances);

/// @return the acceptances of a state file; none if it has none that can be used.
std::vector<ServerAcceptance> acceptances_on_record(const SavedState& state);

}  // namespace pg_integrity
