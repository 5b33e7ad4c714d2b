// Evidence as Prometheus text. What only changes when something was observed is the body; what
// changes by the passing of time (ages, verdicts, the process) is the tail. Together they are the
// page. Pure functions over immutable snapshots; safe on any thread.
#pragma once

#include <string>

#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"
#include "exporter/evidence/snapshot.h"

namespace pg_integrity {

/// What only the process knows at the moment of a scrape.
struct ProcessFacts {
  std::string version;
  std::string revision;
  bool reload_successful = true;
  std::size_t http_connections = 0;
};

struct BodyText {
  std::string text;
  Instant expires;  ///< from then on something in it is too old to be shown
};

BodyText render_body(const Snapshot& snapshot, const Clock& clock);

std::string render_tail(const Snapshot& snapshot, const ProcessFacts& facts, const Clock& clock);

}  // namespace pg_integrity
