// A scheduler that is made to look again: time passes at once, and the look that is due then is
// waited for. Time must not pass during a look, whose deadline it would end.
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

/// @return whether the collector made a pass that began after so much time.
inline bool looks_again(RunningScheduler& scheduler, const std::string& collector, Seconds later) {
  const double before = passes(scheduler, collector);
  scheduler.clock.advance(later);
  return eventually([&] { return passes(scheduler, collector) > before; });
}

/// Looks again, up to ten times, until it is so.
template <typename Condition>
bool comes_true(RunningScheduler& scheduler, const std::string& collector, Seconds apart,
                Condition condition) {
  for (int look = 0; look < 10 && !condition(); ++look)
    if (!looks_again(scheduler, collector, apart)) return false;
  return condition();
}

}  // namespace pg_integrity::test
