// The sampler: for each server two lanes, a pool of sessions and the tasks of its collectors, on
// every database that it has. Safe on any thread; start() and stop() once each.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "exporter/evidence.h"
#include "exporter/record.h"
#include "exporter/sessions.h"
#include "exporter/workers.h"

namespace pg_integrity {

using MakeConnector = std::function<std::shared_ptr<Connector>(const ServerOptions&)>;

class Sampler {
 public:
  /// @param record evidence of an earlier process, given to collectors as they are added.
  /// The references must outlive the sampler.
  Sampler(const std::vector<std::shared_ptr<const ServerOptions>>& servers,
          const MakeConnector& make_connector, const Clock& clock, const DisposableWorkers& workers,
          Evidence& evidence, std::shared_ptr<const Record> record);
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  /// Samples until stop().
  void start();
  /// Makes one pass of every collector, without rests, and returns.
  void run_once();
  /// Brings the recorded evidence in and samples nothing.
  void only_recorded();
  /// Cancels what runs and returns within a few seconds.
  void stop();
  /// Every enabled collector has made one attempt, good or bad.
  [[nodiscard]] bool ready() const;

 private:
  class Server;
  const std::unique_ptr<DisposableWorkers> workers_;
  std::vector<std::unique_ptr<Server>> servers_;
};

}  // namespace pg_integrity
