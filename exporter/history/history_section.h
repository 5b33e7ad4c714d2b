// The history as a section of the state file. Pure functions, apart from the log.
#pragma once

#include <string>
#include <vector>

#include "exporter/evidence/state_file.h"
#include "exporter/evidence/state_section.h"
#include "exporter/history/chain.h"
#include "exporter/history/watched_states.h"

namespace pg_integrity {

struct RecordedHistory {
  std::vector<std::string> lines;
  WatchedStates states;
};

StateSection section_of(const Chain& chain, const WatchedStates& states);

/// @return an empty history if the state file has none that can be used.
RecordedHistory history_on_record(const SavedState& state);

}  // namespace pg_integrity
