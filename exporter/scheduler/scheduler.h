// The scheduler: for each server two lanes, a pool of sessions and the tasks of its collectors, on
// every database that it has. Safe on any thread; start() and stop() once each.
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
/// Slots by server name, those of replicas by server, database and name; they outlive a scheduler
/// that is replaced.
using ServerSlots = std::map<std::string, std::shared_ptr<SessionSlots>>;

class Scheduler {
 public:
  /// @param saved evidence of an earlier process, given to collectors as they are added.
  /// The references must outlive the scheduler.
  Scheduler(const std::vector<std::shared_ptr<const ServerOptions>>& servers,
            const MakeConnector& make_connector, const WaitableClock& clock,
            const DisposableWorkers& workers, ServerSlots& slots, Evidence& evidence,
            const std::shared_ptr<const SavedEvidence>& saved);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Makes the collectors and brings the recorded evidence in; samples nothing.
  void prepare();
  /// Samples until stop(); prepares first where that was not done.
  void start();
  /// Makes one pass of every collector, without rests, and returns; early if cancelled.
  void run_once();
  /// Cancels what runs; from any thread, also while another one is in run_once().
  void cancel();
  /// Cancels what runs and returns within a few seconds, when all threads have ended.
  void stop();
  /// Every enabled collector has made one attempt, good or bad.
  [[nodiscard]] bool ready() const;

 private:
  class Server;
  const WaitableClock& clock_;
  const std::unique_ptr<DisposableWorkers> workers_;
  std::vector<std::unique_ptr<Server>> servers_;
};

}  // namespace pg_integrity
