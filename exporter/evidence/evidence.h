// Gathers the observations of collectors and hands them on as immutable snapshots. A step replaces
// the objects that it checked and leaves the others. A failed step replaces nothing. Safe on any
// thread. No lock is held for longer than it takes to move the values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/metric_set.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/thread_annotations.h"
#include "collectors/collector.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/session.h"
#include "exporter/config/options.h"
#include "exporter/evidence/news.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

/// An object whose state changed with a step, for the log.
struct StateChange {
  std::string object;
  bool violated = false;  ///< false: it is proven again
  std::string detail;
};

/// The number of the cluster that answers for a server. It grows when another cluster answers, so
/// that observations of the two are never mixed.
using Era = std::uint64_t;

enum class Answerer : std::uint8_t {
  known,     ///< the same cluster as before, or the first one
  another,   ///< another cluster: evidence was forgotten
  outdated,  ///< a session from before another cluster answered; do not use it any more
};

class Evidence {
 public:
  /// @param news is told of every change. It must outlive this object, as must the clock.
  Evidence(const Clock& clock, std::vector<std::shared_ptr<const ServerOptions>> servers,
           News* news = nullptr);

  /// Adds a collector that is to run. The metrics that it declares are on the page from now on.
  void add(const CollectorId& id, const CollectorSpec& spec,
           std::shared_ptr<const ServerOptions> options, Seconds interval,
           std::uint64_t fingerprint, const Batch& declared,
           std::shared_ptr<const MetricSet> own_metrics = nullptr);
  /// Adds a watched database. Its `up` is on the page from now on.
  /// @param up nothing if this process has not tried to reach it yet.
  void add_database(const std::string& server, const std::string& database,
                    std::optional<bool> up = std::nullopt);
  /// Removes a database that is no longer there, with its collectors.
  void remove_database(const std::string& server, const std::string& database);

  /// @param waited how long the pass has been due.
  void pass_began(const CollectorId& id, Seconds waited = {});
  /// The running pass has checked `done` of the `known` items that it has met so far.
  void pass_at(const CollectorId& id, std::size_t done, std::size_t known);
  /// Takes the observations of a successful step. A recheck checks some objects only and is not
  /// part of a pass.
  /// @param era the era in which the pass began.
  /// @return nothing if that era is over. Then the call has no effect.
  std::optional<std::vector<StateChange>> accept(const CollectorId& id, const Batch& batch,
                                                 bool recheck, Era era);
  /// What the newest complete pass saw is still so, because nothing was committed since. So all
  /// that it observed counts as observed now.
  /// @param only the objects that were to be rechecked. Nothing: a pass was to be made, and it is
  /// complete.
  /// @return false if its era is over. Then the call has no effect.
  bool unchanged(const CollectorId& id, const std::optional<std::set<ObjectKey>>& only, Era era);
  /// The running pass is complete. Objects that it did not meet are gone.
  /// @return false if its era is over. Then the call has no effect.
  bool pass_complete(const CollectorId& id, Era era);
  /// The attempt failed as a whole.
  /// @return true if that is news: the attempt before succeeded, or failed for another reason.
  bool failed(const CollectorId& id, const SourceError& error);
  /// Counts events. They count even if their step failed.
  void record(const CollectorId& id, const std::vector<Event>& events);

  /// Sets whether a watched database is up.
  /// @return true if that is news.
  bool set_up(const std::string& server, const std::string& database, bool up);
  void set_sessions(const SessionCount& count);

  /// Notes which cluster a session of that server has found. If it is another one than before, or a
  /// new timeline after a promotion, all evidence of the server is forgotten and a new era begins.
  /// Collectors keep what they remember, since they remember names.
  Answerer identify(const std::string& server, const ServerInfo& found);
  [[nodiscard]] Era era(const std::string& server) const;

  /// Restores evidence of an earlier process or configuration, with its original times. Objects
  /// that this process has already checked are left alone. Samples are matched to the collector's
  /// metrics by name.
  void restore(const CollectorId& id, const std::map<ObjectKey, Object>& objects, bool success,
               std::optional<Instant> last_success, std::vector<Counter> counters);
  /// Restores what a collector that was just added remembers.
  void restore_memory(const CollectorId& id, std::shared_ptr<const std::string> remembered);
  /// Restores the start time of a collector that was just added.
  void restore_start(const CollectorId& id, Instant started);
  void restore_identity(const std::string& server, const std::string& system_identifier,
                        std::uint32_t timeline);
  struct Identity {
    std::string system_identifier;
    std::uint32_t timeline = 0;
    Instant found_at{};  ///< zero if an earlier process found it
  };
  [[nodiscard]] std::optional<Identity> identity(const std::string& server) const;

  [[nodiscard]] std::optional<Sample> newest(const CollectorId& id, const MetricInfo& metric,
                                             std::span<const std::string> labels) const;
  /// @return the text that the collector remembers; nullptr if there is none.
  [[nodiscard]] std::shared_ptr<const std::string> remembered(const CollectorId& id) const;
  /// @return the newest samples of a metric of that name, of any collector of the same database.
  [[nodiscard]] std::vector<Sample> observed(const CollectorId& id, std::string_view metric) const;
  /// @return true if a collector of the same database has a violated or accepted object with the
  /// labels `schema` and `table` of that table.
  [[nodiscard]] bool is_red_table(const CollectorId& id, const QualifiedName& table) const;
  /// @return the newest samples of a metric that violated objects have, gone ones included.
  [[nodiscard]] std::vector<Sample> violated(const CollectorId& id, const MetricInfo& metric) const;
  /// @return the violated objects that may pass another check. An object that violates cumulative
  /// metrics alone cannot, so it is left out.
  [[nodiscard]] std::vector<ObjectKey> to_recheck(const CollectorId& id) const;

  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const;
  /// The version of the snapshot that snapshot() would return. It grows with every change.
  [[nodiscard]] std::uint64_t version() const;

 private:
  struct Entry {
    CollectorEvidence now;
    std::set<ObjectKey> declared;  ///< objects that the configuration names
    std::size_t excluded_in_pass = 0;
    std::vector<Counter> counters;
    mutable std::shared_ptr<const CollectorEvidence> published;
  };

  /// The entry, for a change.
  /// @return nullptr if its database is gone. Then the change has no effect.
  Entry* changed(const CollectorId& id) REQUIRES(mutex_);
  void note_change() REQUIRES(mutex_);
  [[nodiscard]] Era era_of(const std::string& server) const REQUIRES(mutex_);
  static void place_declared(Entry& entry, Instant now);

  const Clock& clock_;
  const std::vector<std::shared_ptr<const ServerOptions>> servers_;
  News* const news_;
  mutable Mutex mutex_;
  std::uint64_t version_ GUARDED_BY(mutex_) = 1;
  std::map<CollectorId, Entry> entries_ GUARDED_BY(mutex_);
  std::map<std::pair<std::string, std::string>, std::optional<bool>> up_ GUARDED_BY(mutex_);
  std::map<std::string, SessionCount> sessions_ GUARDED_BY(mutex_);
  std::map<std::string, Identity> identities_ GUARDED_BY(mutex_);
  std::map<std::string, Era> eras_ GUARDED_BY(mutex_);
};

}  // namespace pg_integrity
