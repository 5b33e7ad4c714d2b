// Why objects are unproven or limited: each cause once, whatever number of objects and collectors
// it stops. A locked table, a role without rights and a server that does not answer stop many at
// once. Pure functions over immutable snapshots. Safe on any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/collector.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/evidence/verdict.h"

namespace pg_integrity {

/// What two troubles must have in common to be one cause. The order is that of the report.
enum class CauseKind : std::uint8_t {
  unreachable,  ///< the server's words, on any database of a server
  rights,       ///< our role lacks rights in one database, whatever the number of tables
  relation,     ///< the relation and the reason
  words,        ///< the reason and the words
};

/// What a cause stops of one collector.
struct Stopped {
  const CollectorSpec* spec = nullptr;
  bool whole = false;  ///< the collector's newest attempt failed
  std::vector<ObjectKey> objects;
};

struct Cause {
  State state = State::unproven;  ///< or limited
  CauseKind kind{};
  Reason reason{};
  std::string server;
  std::set<std::string> databases;  ///< an empty name is the whole server
  std::set<Obstacle> obstacles;     ///< the relations; empty if it is not about any
  std::string words;                ///< of the newest trouble
  std::optional<Instant> since;     ///< when the oldest trouble began, if that is known
  std::map<CollectorId, Stopped> stops;

  /// The number of objects that it stops.
  [[nodiscard]] std::size_t objects() const;
};

/// The causes of all servers, those of a server together. Within a server unproven ones come first,
/// then in the order of CauseKind.
std::vector<Cause> causes_of(const Snapshot& snapshot, const Verdicts& verdicts);

}  // namespace pg_integrity
