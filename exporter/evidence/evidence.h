// Gathers what collectors observe and hands it on as immutable snapshots. A step replaces the
// objects it looked at, not the others; a failed step replaces nothing. Safe on any thread; no lock
// is held for longer than it takes to move the values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/metric_set.h"
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
  bool violated = false;  ///< else it is proven again
  std::string detail;
};

/// Counts the clusters that have answered for one server: what was seen of one is not mixed with
/// what is seen of the next.
using Era = std::uint64_t;

enum class Answerer : std::uint8_t {
  known,     ///< the cluster that answered before
  another,   ///< evidence was forgotten
  outdated,  ///< a session that was opened before another cluster answered: not to be used any more
};

class Evidence {
 public:
  /// @param news is told of every change; must outlive this.
  Evidence(const Clock& clock, std::vector<std::shared_ptr<const ServerOptions>> servers,
           News* news = nullptr);

  /// A collector is to run. What it declares is on the page from now on.
  void add(const CollectorId& id, const CollectorSpec& spec,
           std::shared_ptr<const ServerOptions> options, Seconds interval,
           std::uint64_t fingerprint, const Batch& declared,
           std::shared_ptr<const MetricSet> own_metrics = nullptr);
  /// A database is watched: whether it is up is on the page from now on.
  /// @param up what this process knows of it already, if anything.
  void add_database(const std::string& server, const std::string& database,
                    std::optional<bool> up = std::nullopt);
  /// A database is no longer there.
  void remove_database(const std::string& server, const std::string& database);

  void pass_began(const CollectorId& id);
  /// The running pass has looked at `done` of the `known` items it has met so far.
  void pass_at(const CollectorId& id, std::size_t done, std::size_t known);
  /// A step succeeded; a recheck looks at some objects only and is no part of a pass.
  /// @param era when the pass began.
  /// @return nothing if that era is over: then the call has no effect.
  std::optional<std::vector<StateChange>> accept(const CollectorId& id, const Batch& batch,
                                                 bool recheck, Era era);
  /// The running pass is complete: objects that it did not meet are gone.
  /// @return false if its era is over: then the call has no effect.
  bool pass_complete(const CollectorId& id, Era era);
  /// The attempt failed as a whole. @return true if that is news.
  bool failed(const CollectorId& id, const SourceError& error);
  /// Events count whatever became of their step.
  void record(const CollectorId& id, const std::vector<Event>& events);

  /// Of a watched database. @return true if that is news.
  bool set_up(const std::string& server, const std::string& database, bool up);
  void set_sessions(const SessionCount& count);

  /// Which cluster a session of that server has found. If it is another one than before (or the
  /// same was promoted), evidence of the old one is forgotten and a new era begins.
  Answerer identify(const std::string& server, const ServerInfo& found);
  [[nodiscard]] Era era(const std::string& server) const;

  /// Evidence of an earlier process, with its original times. Only for objects not yet looked at;
  /// samples are taken for those of the collector's metrics by name.
  void restore(const CollectorId& id, const std::map<ObjectKey, Object>& objects, bool success,
               std::optional<Instant> last_success, std::vector<Counter> counters);
  /// A collector that was just added has been meant to run since an earlier moment.
  void restore_start(const CollectorId& id, Instant started);
  void restore_identity(const std::string& server, const std::string& system_identifier,
                        std::uint32_t timeline);
  struct Identity {
    std::string system_identifier;
    std::uint32_t timeline = 0;
    Instant found_at{};  ///< never: by an earlier process
  };
  [[nodiscard]] std::optional<Identity> identity(const std::string& server) const;

  [[nodiscard]] std::optional<Sample> newest(const CollectorId& id, const MetricInfo& metric,
                                             std::span<const std::string> labels) const;
  /// Objects whose violation another look may disprove: a cumulative metric's it cannot.
  [[nodiscard]] std::vector<ObjectKey> to_recheck(const CollectorId& id) const;

  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const;
  /// Changes whenever a snapshot would.
  [[nodiscard]] std::uint64_t version() const;

 private:
  struct Entry {
    CollectorEvidence now;
    std::set<ObjectKey> declared;  ///< objects that the configuration names
    std::size_t excluded_in_pass = 0;
    std::vector<Counter> counters;
    mutable std::shared_ptr<const CollectorEvidence> published;
  };

  /// The entry, about to be changed; nullptr if its database is gone: then the call has no effect.
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
