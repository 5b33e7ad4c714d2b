// Moments and spans of time. An Instant counts seconds on the machine's monotonic clock (suspension
// included), so that a stepped wall clock makes no evidence older or younger than it is; a UnixTime
// is what people, files and databases write down. exporter/io/clock converts between the two. Plain
// values; safe on any thread.
#pragma once

#include <chrono>

namespace pg_integrity {

using Seconds = std::chrono::duration<double>;

/// The clock of Instant. It has no now(): the time comes from the Clock port, so that tests own it.
struct MonotonicClock {
  using duration = Seconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};

using Instant = MonotonicClock::time_point;

/// Seconds since 1970-01-01 00:00:00 UTC. May be fractional or negative.
using UnixTime = double;

}  // namespace pg_integrity
