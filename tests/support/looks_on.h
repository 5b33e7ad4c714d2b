// A sampler that is made to look again: time passes at once, and the look that is due then is
// waited for. Time must not pass during a look, whose deadline it would end.
#pragma once

#include "tests/support/observer.h"
#include "tests/support/wait.h"

namespace pg_integrity::test {

inline double passes(RunningSampler& sampler, const std::string& collector) {
  return sampler.page()
      .value("pg_integrity_collector_runs_total",
             {{"collector", collector}, {"outcome", "success"}})
      .value_or(0);
}

/// Waits for the collector's first pass.
inline bool has_looked(RunningSampler& sampler, const std::string& collector) {
  return eventually([&] { return passes(sampler, collector) > 0; });
}

/// @return whether the collector made a pass that began after so much time.
inline bool looks_again(RunningSampler& sampler, const std::string& collector, Seconds later) {
  const double before = passes(sampler, collector);
  sampler.clock.advance(later);
  return eventually([&] { return passes(sampler, collector) > before; });
}

/// Looks again, up to ten times, until it is so.
template <typename Condition>
bool comes_true(RunningSampler& sampler, const std::string& collector, Seconds apart,
                Condition condition) {
  for (int look = 0; look < 10 && !condition(); ++look)
    if (!looks_again(sampler, collector, apart)) return false;
  return condition();
}

}  // namespace pg_integrity::test
