// The state file: sections on disk, in one JSON document, replaced atomically. It is a cache: a
// missing or damaged one costs what was in it and nothing else. A section that this program does
// not know was written by a newer one: it is kept as it is, and written back.
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
  std::map<std::string, std::string> of_others;  ///< by name, as JSON
};

/// Writes `directory`/evidence.json through a temporary file beside it. Blocks: call it on a
/// worker.
/// @throws SourceError{io}
void save_state(const std::string& directory, const SavedState& state);

/// A section that is damaged, or newer than `known` says, is left out with one line in the log.
/// @throws SourceError: io if there is a file that cannot be read, decode if it is no state file.
/// No file means no sections.
SavedState load_state(const std::string& directory,
                      std::span<const KnownSection> known = kStateSections);

/// As load_state(), but empty, after one line in the log, if it cannot be used. Says so, too, if it
/// was written later than it is now.
SavedState state_on_record(const std::string& directory, const Clock& clock);

/// Gives `read` the section of that name, if there is one. If it throws a SourceError the section
/// counts for nothing, after one line in the log.
void read_section(const SavedState& state, std::string_view name,
                  const std::function<void(const StateSection& section)>& read);

}  // namespace pg_integrity
