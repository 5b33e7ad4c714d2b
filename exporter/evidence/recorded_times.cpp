#include "exporter/evidence/recorded_times.h"

#include <algorithm>

namespace pg_integrity {

namespace {

constexpr Seconds kClockTolerance{10};          ///< clocks are adjusted by a little all the time
constexpr Seconds kUndated{365.0 * 24 * 3600};  ///< older than anything that counts as recent

}  // namespace

RecordedTimes::RecordedTimes(UnixTime saved_at, const Clock& clock) : clock_(clock) {
  const Seconds ahead(saved_at - clock.unix_now());
  if (ahead > kClockTolerance) set_back_ = ahead;
}

Instant RecordedTimes::since(UnixTime recorded) const {
  return clock_.from_unix(recorded) - set_back_;
}

Instant RecordedTimes::past(UnixTime recorded) const {
  return std::min(since(recorded), clock_.now());
}

Instant RecordedTimes::look(UnixTime recorded) const {
  return clock_was_set_back() ? past(recorded) - kUndated : past(recorded);
}

}  // namespace pg_integrity
