// One configuration in force, with its evidence and the scheduler that gathers it. A reload
// replaces it as a whole. Safe on any thread.
#pragma once

#include <memory>
#include <vector>

#include "exporter/config/options.h"
#include "exporter/evidence/evidence.h"
#include "exporter/evidence/news.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/io/condition.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/watchdog.h"
#include "exporter/scheduler/scheduler.h"

namespace pg_integrity {

/// Resources of the process, which outlive every configuration. Some workers may still be busy when
/// a configuration is replaced.
struct ProcessResources {
  explicit ProcessResources(const WaitableClock& the_clock)
      : clock(the_clock), watchdog(the_clock), workers(the_clock) {}

  const WaitableClock& clock;
  Watchdog watchdog;
  DisposableWorkers workers;
  News news;          ///< of the evidence in force
  ServerSlots slots;  ///< used while runtimes are made, by one thread at a time
};

class Runtime {
 public:
  /// @param resources must outlive the runtime.
  /// @param saved from an earlier process, or from the runtime that this one replaces and that the
  /// caller has stopped. It may be null.
  Runtime(Options options, ProcessResources& resources,
          const std::shared_ptr<const SavedEvidence>& saved);

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] const std::shared_ptr<Evidence>& evidence() const { return evidence_; }
  [[nodiscard]] Scheduler& scheduler() { return *scheduler_; }

 private:
  Options options_;
  std::shared_ptr<Evidence> evidence_;
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace pg_integrity
