// Evidence to keep: a process hands it on to the next one (through the state file) or to itself
// (at a reload). Values with their original times, the cluster they were taken of and the
// configuration they were taken under; never more than a cache of what can be observed again.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/metric_set.h"
#include "collectors/collector.h"
#include "collectors/registry.h"
#include "exporter/config/options.h"
#include "exporter/evidence/evidence.h"
#include "exporter/evidence/snapshot.h"

namespace pg_integrity {

struct SavedCollector {
  int version = 0;
  std::uint64_t fingerprint = 0;
  bool success = false;
  std::optional<Instant> last_success;
  std::map<ObjectKey, Object> objects;
  std::shared_ptr<const MetricSet> own_metrics;  ///< those of the objects' samples
  // These live as long as the process, and are not in the state file.
  std::vector<Counter> counters;
  std::optional<Instant> started;  ///< since when it is meant to run
};

struct SavedEvidence {
  std::map<std::string, Evidence::Identity> servers;
  std::map<CollectorId, SavedCollector> collectors;
  /// Which databases answered, by server and name. It is not in the state file: the next process
  /// tries them itself.
  std::map<std::pair<std::string, std::string>, bool> up;

  /// Nothing: nobody has tried.
  [[nodiscard]] std::optional<bool> was_up(const std::string& server,
                                           const std::string& database) const;
};

SavedEvidence saved_evidence_of(const Evidence& evidence);

/// Gives a collector that was just added its recorded evidence, if that was taken of the same
/// collector under the same configuration. Under other options it gets back only what it had
/// learned, and since when it is meant to run.
void restore(Evidence& evidence, const SavedEvidence& saved, const CollectorId& id,
             const CollectorSpec& spec, std::uint64_t fingerprint);

/// Changes with everything that evidence of this collector depends on. The upper half changes only
/// with what decides which objects there are (the collector's version, `exclude`): what was learned
/// depends on nothing else.
std::uint64_t fingerprint_of(const ServerOptions& server, const CollectorOptions& collector);

}  // namespace pg_integrity
