// What runs for one server: its two lanes, its sessions, and the tasks of its collectors on every
// watched database. Safe on any thread. Call start() or run_once() once.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "collectors/collector.h"
#include "exporter/config/options.h"
#include "exporter/evidence/evidence.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/io/condition.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/mutex.h"
#include "exporter/postgres/live_session.h"
#include "exporter/postgres/session_pool.h"
#include "exporter/scheduler/collector_task.h"
#include "exporter/scheduler/lane.h"
#include "exporter/scheduler/server_context.h"

namespace pg_integrity {

class ServerRun {
 public:
  /// The references must outlive this object.
  /// @param saved evidence of an earlier process; may be null.
  ServerRun(std::shared_ptr<const ServerOptions> options, std::shared_ptr<Connector> connector,
            const WaitableClock& clock, DisposableWorkers& workers,
            std::shared_ptr<SessionSlots> slots, Evidence& evidence,
            std::shared_ptr<const SavedEvidence> saved);

  /// Call it before every other function.
  void add_replica(const ReplicaConnection& replica, std::shared_ptr<Connector> connector,
                   DisposableWorkers& workers, std::shared_ptr<SessionSlots> slots);

  /// Makes the collectors of the databases that are known, and restores their evidence.
  void prepare();
  /// Samples until begin_stop(). Prepares first if prepare() was not called.
  void start();
  /// Makes one pass of every collector, without rests.
  /// @param reading whether the lane that reads backups to their end runs, too.
  void run_once(bool reading);
  void begin_stop();
  void wait_until_finished(Instant moment) const;
  /// Closes the sockets of what still runs.
  void cut_off();
  void join();
  /// True once every collector has made one attempt, and the databases that globs stand for were
  /// found.
  [[nodiscard]] bool ready() const;

 private:
  class Discovery;

  void start_lanes(bool until_done, bool reading);
  LaneThread& lane_of(Lane lane);
  void add_known_databases();
  /// @return how long the server was busy with it, or nothing if it could not list its databases.
  std::optional<Seconds> discover_databases();
  SessionPool::Lease lease_any(Instant deadline);
  void add_database(const std::string& database, bool home);
  void add_task(const CollectorOptions& options, std::unique_ptr<Collector> collector,
                const std::shared_ptr<DatabaseContext>& database);
  void remove_database(const std::string& database);
  /// @param only tells the tasks of that database; nullptr: all of the server.
  void tell_tasks(void (CollectorTask::*news)(), const std::string* only = nullptr);

  [[nodiscard]] std::vector<std::string> watched() const;
  [[nodiscard]] bool is_watched(const std::string& database) const;
  /// @return when it is due again, even if the lanes make no step until then.
  std::optional<Instant> housekeeping();

  const std::shared_ptr<const ServerOptions> options_;
  const WaitableClock& clock_;
  Evidence& evidence_;
  const std::shared_ptr<const SavedEvidence> saved_;
  SessionPool pool_;
  LoadShare load_;
  LoadShare unbounded_{1};  ///< of the reading lane, which keeps no server busy
  const std::shared_ptr<ServerContext> context_;
  bool prepared_ = false;
  std::atomic<bool> started_ = false;
  std::atomic<bool> reading_started_ = false;

  mutable Mutex mutex_;
  std::vector<std::shared_ptr<CollectorTask>> tasks_ GUARDED_BY(mutex_);
  std::vector<std::string> databases_ GUARDED_BY(mutex_);
  std::atomic<bool> discovered_ = false;
  LaneThread quick_;  ///< destroyed first, because the lanes use all of the above
  LaneThread scan_;
  LaneThread reading_;
};

}  // namespace pg_integrity
