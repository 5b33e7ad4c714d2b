// Evidence as Prometheus text. The body changes only when something was observed. The tail (ages,
// verdicts, the process) changes as time passes. Together they are the page. Pure functions over
// immutable snapshots. Safe on any thread.
#pragma once

#include <optional>
#include <string>

#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"
#include "exporter/evidence/snapshot.h"

namespace pg_integrity {

/// Facts of the process at the moment of a scrape.
struct ProcessFacts {
  std::string version;
  std::string revision;
  bool reload_successful = true;
  std::size_t http_connections = 0;
  std::optional<UnixTime> certificate_expires{};  ///< nothing without TLS
};

struct BodyText {
  std::string text;
  Instant expires;  ///< from then on something in it is too old to be shown
};

BodyText render_body(const Snapshot& snapshot, const Clock& clock);

std::string render_tail(const Snapshot& snapshot, const ProcessFacts& facts, const Clock& clock);

}  // namespace pg_integrity
