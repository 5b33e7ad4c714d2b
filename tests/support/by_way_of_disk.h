// Evidence that was saved to disk and loaded again, as the next process finds it.
#pragma once

#include <memory>

#include "collectors/ports/clock.h"
#include "exporter/evidence/evidence_section.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/state_file.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test {

inline std::shared_ptr<const SavedEvidence> by_way_of_disk(const SavedEvidence& saved,
                                                           const Clock& writer,
                                                           const Clock& reader) {
  const TemporaryDirectory directory;
  save_state(directory.path(), {writer.unix_now(), sections_of(saved, writer), {}});
  return evidence_on_record(load_state(directory.path()), reader);
}

}  // namespace pg_integrity::test
