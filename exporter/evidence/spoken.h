// Numbers, durations, sizes and shares, as people read them. Pure functions. Safe on any thread.
#pragma once

#include <cstddef>
#include <string>

#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"

namespace pg_integrity {

/// "10,000"
std::string grouped(std::size_t number);

/// The two largest parts of a duration: "7 d 12 h", "6 h 30 min", "45 s", "0.25 s". The rest is cut
/// off, so that an age that is over its limit never reads as the limit.
std::string spoken_duration(Seconds duration);

/// A value in the unit that the metric's name ends with: "7 d 12 h", "1.5 GiB", "80 %", "10,000",
/// or the date of a timestamp.
std::string spoken(const MetricInfo& metric, double value);

}  // namespace pg_integrity
