// The evidence at one moment, immutable and shared by pointer. It has the state of every object and
// its time, the health of collectors, and all counters. Evidence makes it. The verdict, the metrics
// page, the report and the state file read it. Safe on any thread.
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
#include "collectors/base/label_values.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/metric_set.h"
#include "collectors/collector.h"
#include "collectors/options/accept.h"
#include "collectors/registry.h"
#include "exporter/config/options.h"
#include "exporter/evidence/rare.h"

namespace pg_integrity {

/// A collector on one server, or on one of its databases.
struct CollectorId {
  std::string server;
  std::string database;  ///< empty: the collector is about the whole server
  std::string collector;

  auto operator<=>(const CollectorId&) const = default;
  bool operator==(const CollectorId&) const = default;
};

/// An object's name within its collector. It has the values of the identity labels that the object
/// has.
using ObjectKey = LabelValues;

/// Why the newest check of an object, or the newest attempt of a collector, failed.
struct Trouble {
  Reason reason{};
  std::string detail;
  Instant since{};
  std::optional<Obstacle> obstacle{};  ///< the relation that was in the way
  bool session_lost = false;           ///< of a collector: there was no session to ask
};

/// The newest evidence of one object.
struct Object {
  std::vector<Sample> samples;  ///< the newest successful observation of each series
  Rare<Trouble> trouble;        ///< of the newest check; nothing: it succeeded
  /// Time of the newest successful check. Nothing: there is none since the object was violated.
  std::optional<Instant> whole_at;
  Instant looked_at{};      ///< time of this process's newest check
  bool configured = false;  ///< named in the configuration
  /// Since when a complete pass has not met it, although it was violated or accepted.
  std::optional<Instant> gone_since;
  double size = 0;  ///< orders objects when the series cap bites
  std::vector<std::string> lines;
  const AcceptedDamage* accepted = nullptr;  ///< owned by CollectorEvidence::options
};

/// The health of a collector as a whole.
struct CollectorHealth {
  Instant started{};       ///< when it was first to run with this cluster; a reload keeps it
  bool attempted = false;  ///< it has finished an attempt, good or bad
  /// The newest attempt succeeded, or it is running and has come further than the one that failed.
  bool success = false;
  std::optional<Instant> last_success;
  std::optional<Instant> last_full_check;  ///< end of the newest pass that was not left out
  Seconds last_duration{};                 ///< of the last full pass, rests included
  Seconds last_wait{};                     ///< how long it was due before it began
  Seconds configured_interval{};
  std::optional<Instant> pass_since;     ///< when the running pass began
  Seconds pass_waited{};                 ///< how long it was due before it began
  Instant pass_advanced{};               ///< when its newest step succeeded
  std::size_t pass_done = 0;             ///< items that it has checked
  std::size_t pass_known = 0;            ///< items known so far; 0: the collector does not say
  std::optional<Trouble> failure;        ///< of the newest attempt, unless `success`
  std::optional<std::size_t> failed_at;  ///< items that it had checked when it failed
};

struct CollectorEvidence {
  CollectorId id;
  const CollectorSpec* spec = nullptr;
  std::shared_ptr<const MetricSet> own_metrics;  ///< declared by the configuration; may be null
  std::shared_ptr<const ServerOptions> options;  ///< of its server
  std::uint64_t fingerprint = 0;  ///< of the configuration that the evidence was taken under
  std::vector<Sample> declared;   ///< objectives, which are always there
  std::map<ObjectKey, std::shared_ptr<const Object>> objects;
  std::size_t excluded = 0;
  /// The collector's own memory: see Batch::remember(). It may be null.
  std::shared_ptr<const std::string> remembered;
  CollectorHealth health;
};

/// A counter or histogram of one series.
struct Counter {
  const MetricInfo* metric = nullptr;
  std::vector<std::string> labels;
  double value = 0;                       ///< counter
  std::vector<double> upper_bounds;       ///< histogram: ascending, without +Inf
  std::vector<std::uint64_t> per_bucket;  ///< one more than bounds; the last is above them
  double sum = 0;
};

struct DatabaseHealth {
  std::string server;
  std::string database;
  bool up = false;
  bool tried = false;  ///< there was an attempt to reach it
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

/// The interval between passes that a collector can keep. It is the configured one, or the real
/// duration of a pass under max_load if that is longer, with the time that it waits for others to
/// be checked. A running pass extends it only up to its newest successful step.
Seconds kept_interval(const CollectorHealth& health);

/// The metric of that name, from the spec or from the collector's own ones.
/// @return nullptr if there is none.
const MetricInfo* metric_named(const CollectorSpec& spec, const MetricSet* own_metrics,
                               std::string_view name);

/// The object's name in reports, links and `accept`: "orphans/public.child.child_fkey".
std::string object_name(const CollectorSpec& spec, const ObjectKey& key);

/// "backups{status=success}": the series of an object, without the prefix of all metrics. Labels
/// that name the object and labels with an empty value are left out.
std::string series_name(const CollectorSpec& spec, const Sample& sample);

/// The object that a series belongs to.
ObjectKey object_key(const CollectorSpec& spec, const MetricInfo& metric,
                     const LabelValues& labels);

}  // namespace pg_integrity
