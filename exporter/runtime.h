// One configuration in force: its evidence and the sampler that gathers it. Replaced as a whole at
// a reload.
#pragma once

#include <memory>
#include <vector>

#include "exporter/evidence.h"
#include "exporter/options.h"
#include "exporter/record.h"
#include "exporter/sampler.h"
#include "exporter/watchdog.h"
#include "exporter/workers.h"

namespace pg_integrity {

/// What outlives every configuration, and the workers that may still be out when one is replaced.
struct Machinery {
  explicit Machinery(const Clock& the_clock)
      : clock(the_clock), watchdog(the_clock), workers(the_clock) {}

  const Clock& clock;
  Watchdog watchdog;
  DisposableWorkers workers;
  ServerSlots slots;  ///< used while runtimes are made, by one thread at a time
};

class Runtime {
 public:
  /// @param before the newest snapshot of the runtime that this one replaces, if it does; that one
  /// was stopped.
  Runtime(Options options, Machinery& machinery, const std::shared_ptr<const Record>& record,
          const Snapshot* before = nullptr);

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] const std::shared_ptr<Evidence>& evidence() const { return evidence_; }
  [[nodiscard]] Sampler& sampler() { return *sampler_; }

 private:
  Options options_;
  std::shared_ptr<Evidence> evidence_;
  std::unique_ptr<Sampler> sampler_;
};

}  // namespace pg_integrity
