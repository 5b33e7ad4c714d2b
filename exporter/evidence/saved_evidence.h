// Evidence that a process hands on to the next one (through the state file) or to itself (at a
// reload). It has values with their original times, and the cluster and the configuration that they
// belong to. It is no more than a cache of what can be observed again. Plain values.
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
  std::shared_ptr<const MetricSet> own_metrics;   ///< may own metrics of the samples
  std::shared_ptr<const std::string> remembered;  ///< see Batch::remember(); may be null
  // For a reload; not in the state file.
  std::vector<Counter> counters;
  std::optional<Instant> started;  ///< since when it is to run
};

struct SavedEvidence {
  std::map<std::string, Evidence::Identity> servers;
  std::map<CollectorId, SavedCollector> collectors;
  /// Whether a database answered, by server and name. The state file does not have it, because the
  /// next process tries for itself.
  std::map<std::pair<std::string, std::string>, bool> up;

  /// Nothing if the database was not tried.
  [[nodiscard]] std::optional<bool> was_up(const std::string& server,
                                           const std::string& database) const;
};

SavedEvidence saved_evidence_of(const Evidence& evidence);

/// Restores the saved evidence of a collector that was just added. Its start and what it remembers
/// go on whatever else has changed. If its version and the fingerprint are the same, all of it is
/// restored. If only the upper half of the fingerprint is the same, only the values that the
/// collector learned over time are restored.
void restore(Evidence& evidence, const SavedEvidence& saved, const CollectorId& id,
             const CollectorSpec& spec, std::uint64_t fingerprint);

/// A hash of everything that evidence of this collector depends on. The upper 32 bits depend only
/// on the collector's version and on `exclude`, which decide which objects there are. Learned
/// values depend on nothing else.
std::uint64_t fingerprint_of(const ServerOptions& server, const CollectorOptions& collector);

}  // namespace pg_integrity
