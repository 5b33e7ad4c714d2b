// Compares each snapshot with the one before and tells which verdicts changed. It knows the states
// that need somebody by name; all other objects were good or unknown. Not safe on several threads.
//
// Verdicts of objects that turn violated or accepted, and back, are told at each look. Others are
// told once a minute, and those of one database together, since one cause makes many of them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/json_value.h"
#include "collectors/ports/clock.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/evidence/verdict.h"
#include "exporter/history/history_line.h"

namespace pg_integrity {

class WatchedStates {
 public:
  /// How long a change from or to unproven may wait until it is told.
  static constexpr Seconds kBetweenFullLooks{60};
  /// A collector that is missing for longer is not watched any more. Databases that are discovered
  /// come a while after the start.
  static constexpr Seconds kMissing{600};
  /// Objects of a collector that turn violated at once, with a line of their own.
  static constexpr std::size_t kOwnLines = 20;

  /// @return the changes since the look before, the oldest first.
  std::vector<HistoryEntry> look(const Snapshot& snapshot, const Clock& clock);

  /// What a later process needs to go on.
  [[nodiscard]] JsonValue saved() const;
  /// @throws SourceError{decode} with nothing changed.
  void restore(const JsonValue& saved);

 private:
  struct Known {
    std::string state;
    std::string told;  ///< the words of its acceptance
  };
  struct Collector {
    std::map<ObjectKey, Known> bad;  ///< violated, accepted or unproven
    std::map<ObjectKey, UnixTime> drills;
    std::size_t objects = 0;
    std::shared_ptr<const CollectorEvidence>
        seen;  ///< at the look before; null: by a process before
    std::optional<Instant> missing_since;
  };
  using AnswerId = std::tuple<std::string, std::string, Question>;  ///< server, database
  class Look;

  std::map<CollectorId, Collector> collectors_;
  std::map<CollectorId, CollectorVerdict> verdicts_;  ///< of the collectors of the newest snapshot
  std::map<AnswerId, std::string> answers_;
  std::map<std::string, std::int64_t> days_;  ///< by server: since 1970, the newest that was told
  std::optional<Instant> first_look_;
  std::optional<Instant> full_look_;
};

}  // namespace pg_integrity
