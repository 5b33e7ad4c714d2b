// The evidence at one moment: immutable, shared by pointer. What was seen of every object and when,
// how the collectors fare, and what was counted. Made by Evidence, read by verdict, exposition,
// report and state.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/metric_set.h"
#include "collectors/collector.h"
#include "collectors/options/accept.h"
#include "collectors/registry.h"
#include "exporter/config/options.h"

namespace pg_integrity {

/// A collector on one server, or on one of its databases.
struct CollectorId {
  std::string server;
  std::string database;  ///< empty: the collector is about the whole server
  std::string collector;

  auto operator<=>(const CollectorId&) const = default;
  bool operator==(const CollectorId&) const = default;
};

/// An object's name within its collector: the values of those identity labels that it has.
using ObjectKey = std::vector<std::string>;

/// Why the newest look at an object failed.
struct Trouble {
  Reason reason{};
  std::string detail;
  Instant since{};
};

/// What is known of one object.
struct Object {
  std::vector<Sample> samples;      ///< the newest successful observation of each series
  std::optional<Trouble> trouble;   ///< of the newest look; nothing: it succeeded
  std::optional<Instant> whole_at;  ///< when the newest look that succeeded was made
  Instant looked_at{};              ///< when the newest look of this process was made
  bool configured = false;          ///< named in the configuration
  double size = 0;                  ///< orders objects when the series cap bites
  std::vector<std::string> lines;
  const AcceptedDamage* accepted = nullptr;  ///< owned by CollectorEvidence::options
};

/// How a collector fares as a whole.
struct CollectorHealth {
  Instant started{};       ///< since when it is to run; a reload does not change that
  bool attempted = false;  ///< has finished an attempt, good or bad
  bool success = false;    ///< of the newest attempt
  std::optional<Instant> last_success;
  Seconds last_duration{};  ///< of the last complete pass, rests included
  Seconds configured_interval{};
  std::optional<Instant> pass_since;  ///< when the running pass began
  Instant pass_advanced{};            ///< when its newest step succeeded
  std::size_t pass_done = 0;          ///< items that it has looked at
  std::size_t pass_known = 0;         ///< items that it knows of so far; 0: it does not say
  std::optional<Trouble> failure;     ///< of the newest attempt
};

struct CollectorEvidence {
  CollectorId id;
  const CollectorSpec* spec = nullptr;
  std::shared_ptr<const MetricSet> own_metrics;  ///< that the configuration declares; may be null
  std::shared_ptr<const ServerOptions> options;  ///< of its server
  std::uint64_t fingerprint = 0;  ///< of the configuration the evidence was taken under
  std::vector<Sample> declared;   ///< objectives: always there
  std::map<ObjectKey, std::shared_ptr<const Object>> objects;
  std::size_t excluded = 0;
  CollectorHealth health;
};

/// A counter or histogram of one series.
struct Counter {
  const MetricInfo* metric = nullptr;
  std::vector<std::string> labels;
  double value = 0;                       ///< counter
  std::vector<double> upper_bounds;       ///< histogram: ascending, without +Inf
  std::vector<std::uint64_t> per_bucket;  ///< one more than bounds: the last is beyond them
  double sum = 0;
};

struct DatabaseHealth {
  std::string server;
  std::string database;
  bool up = false;
  bool tried = false;  ///< somebody has tried to reach it
};

struct SessionCount {
  std::string server;
  std::size_t open = 0;
  std::size_t connecting = 0;
  std::size_t abandoned = 0;
};

struct Snapshot {
  std::uint64_t version = 0;                                         ///< grows with every change
  std::vector<std::shared_ptr<const CollectorEvidence>> collectors;  ///< sorted by id
  std::map<CollectorId, std::vector<Counter>> counters;
  std::vector<DatabaseHealth> databases;
  std::vector<SessionCount> sessions;
  std::vector<std::shared_ptr<const ServerOptions>> servers;
};

/// The target between passes that a collector can keep: as configured, or as long as a pass really
/// takes under max_load. A pass that makes no headway does not stretch it.
Seconds kept_interval(const CollectorHealth& health);

/// The metric of that name, of the spec or the collector's own; nullptr if there is none.
const MetricInfo* metric_named(const CollectorSpec& spec, const MetricSet* own_metrics,
                               std::string_view name);

/// The object's name in reports, links and `accept`: "orphans/public.child.child_fkey".
std::string object_name(const CollectorSpec& spec, const ObjectKey& key);

/// "{status=success}": the labels of a series that do not name its object; empty if there are none.
/// An empty label is none.
std::string further_labels(const CollectorSpec& spec, const Sample& sample);

/// The object that a series belongs to.
ObjectKey object_key(const CollectorSpec& spec, const MetricInfo& metric,
                     const std::vector<std::string>& labels);

}  // namespace pg_integrity
