// Functions that make a scheduler run a pass that is due later. They advance its clock and wait for
// the pass. Time must not pass during a pass, because it would reach the pass's deadline.
#pragma once

#include "collectors/base/instant.h"
#include "tests/support/observer.h"
#include "tests/support/wait.h"

namespace pg_integrity::test {

inline double passes(RunningScheduler& scheduler, const std::string& collector) {
  return scheduler.page()
      .value("pg_integrity_collector_runs_total",
             {{"collector", collector}, {"outcome", "success"}})
      .value_or(0);
}

/// Waits for the collector's first pass.
inline bool has_looked(RunningScheduler& scheduler, const std::string& collector) {
  return eventually([&] { return passes(scheduler, collector) > 0; });
}

/// Advances the clock by `later`.
/// @return whether the collector then made a pass.
inline bool looks_again(RunningScheduler& scheduler, const std::string& collector, Seconds later) {
  const double before = passes(scheduler, collector);
  scheduler.clock.advance(later);
  return eventually([&] { return passes(scheduler, collector) > before; });
}

/// Runs up to ten more passes, `apart` from each other, until the condition holds.
template <typename Condition>
bool comes_true(RunningScheduler& scheduler, const std::string& collector, Seconds apart,
                Condition condition) {
  for (int look = 0; look < 10 && !condition(); ++look)
    if (!looks_again(scheduler, collector, apart)) return false;
  return condition();
}

}  // namespace pg_integrity::test
