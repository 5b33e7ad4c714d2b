// Evidence to keep: what a process hands on to the next one (through the state file) or to itself
// (at a reload). Values with their original times, the cluster they were taken of and the
// configuration they were taken under; never more than a cache of what can be observed again.
#pragma once

#include <map>
#include <optional>
#include <string>

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
  std::vector<Counter> counters;  ///< counters live as long as the process: not in the state file
};

struct SavedEvidence {
  std::map<std::string, Evidence::Identity> servers;
  std::map<CollectorId, SavedCollector> collectors;
};

SavedEvidence saved_evidence_of(const Evidence& evidence);

/// Gives a collector that was just added its recorded evidence, if that was taken of the same
/// collector under the same configuration; what it had learned even if other options have changed.
void restore(Evidence& evidence, const SavedEvidence& saved, const CollectorId& id,
             const CollectorSpec& spec, std::uint64_t fingerprint);

/// Changes with everything that evidence of this collector depends on. The upper half changes only
/// with what decides which objects there are (the collector's version, `exclude`): what was learned
/// depends on nothing else.
std::uint64_t fingerprint_of(const ServerOptions& server, const CollectorOptions& collector);

}  // namespace pg_integrity
