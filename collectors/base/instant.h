// Moments and spans of time. An Instant counts seconds on the machine's monotonic clock, including
// time in suspension. A step of the wall clock therefore makes no evidence older or younger. A
// UnixTime is the form that people, files and databases write down. exporter/io/clock converts
// between the two. Plain values; safe on any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace pg_integrity {

using Seconds = std::chrono::duration<double>;

/// The clock of Instant. It has no now(), because the time comes from the Clock port; so tests
/// control it.
struct MonotonicClock {
  using duration = Seconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};

using Instant = MonotonicClock::time_point;

/// The earlier of two moments. nullopt means never.
inline std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
  return a && b ? std::min(a, b) : a ? a : b;
}

/// Seconds since 1970-01-01 00:00:00 UTC. May be fractional or negative.
using UnixTime = double;

}  // namespace pg_integrity
