// The scheduler has two lanes for each server, a pool of sessions, and the tasks of its collectors
// on every watched database. Safe on any thread. Call start() and stop() once each.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exporter/config/options.h"
#include "exporter/evidence/evidence.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/io/condition.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/postgres/live_session.h"
#include "exporter/postgres/session_pool.h"

namespace pg_integrity {

using MakeConnector = std::function<std::shared_ptr<Connector>(const ConnectionOptions&)>;
/// The session slots of each server, by its name. The slots of a replica are found by server,
/// database and name. They outlive a scheduler that is replaced.
using ServerSlots = std::map<std::string, std::shared_ptr<SessionSlots>>;

class ServerRun;

class Scheduler {
 public:
  /// The references must outlive the scheduler.
  /// @param saved evidence of an earlier process. Each collector gets its part when it is added.
  Scheduler(const std::vector<std::shared_ptr<const ServerOptions>>& servers,
            const MakeConnector& make_connector, const WaitableClock& clock,
            const DisposableWorkers& workers, ServerSlots& slots, Evidence& evidence,
            const std::shared_ptr<const SavedEvidence>& saved);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Makes the collectors and restores the recorded evidence. It samples nothing.
  void prepare();
  /// Samples until stop(). Prepares first if prepare() was not called.
  void start();
  /// Makes one pass of every collector, without rests. Returns early if it is cancelled.
  /// @param reading whether the lane that reads backups to their end runs, too.
  void run_once(bool reading = true);
  /// Cancels what runs. Any thread may call it, also while another one is in run_once().
  void cancel();
  /// Cancels what runs, and returns when all threads have ended, within a few seconds.
  void stop();
  /// True once every enabled collector has made one attempt, good or bad, and the databases that
  /// globs stand for were found.
  [[nodiscard]] bool ready() const;

 private:
  const WaitableClock& clock_;
  const std::unique_ptr<DisposableWorkers> workers_;
  std::vector<std::unique_ptr<ServerRun>> servers_;
};

}  // namespace pg_integrity
