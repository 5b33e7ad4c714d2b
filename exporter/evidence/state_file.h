// The state file has sections in one JSON document and is replaced atomically. It is a cache, so a
// missing or damaged file costs only its content. A section that this program does not know comes
// from a newer one. It is kept as it is and written back.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"
#include "exporter/evidence/state_section.h"

namespace pg_integrity {

struct SavedState {
  UnixTime saved_at = 0;
  std::vector<StateSection> sections;
  std::map<std::string, std::string> of_others;  ///< unknown sections by name, as JSON
};

/// Writes `directory`/evidence.json through a temporary file beside it. Blocks, so call it on a
/// worker. One thread at a time.
/// @throws SourceError{io}
void save_state(const std::string& directory, const SavedState& state);

/// Reads the file. A missing file gives no sections. A section that is damaged, or newer than
/// `known` says, is left out with one line in the log. Blocks.
/// @throws SourceError: io if the file cannot be read, decode if it is not a state file.
SavedState load_state(const std::string& directory,
                      std::span<const KnownSection> known = kStateSections);

/// As load_state(), but a file that cannot be used gives an empty state and one line in the log. A
/// file that comes from the future gives such a line, too.
SavedState state_on_record(const std::string& directory, const Clock& clock);

/// Calls `read` with the section of that name, if there is one. If `read` throws a SourceError, the
/// section counts as not used, with one line in the log.
void read_section(const SavedState& state, std::string_view name,
                  const std::function<void(const StateSection& section)>& read);

}  // namespace pg_integrity
