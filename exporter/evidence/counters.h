// Counters and histograms, summed up from events. Pure functions.
#pragma once

#include <vector>

#include "collectors/base/batch.h"
#include "exporter/evidence/snapshot.h"

namespace pg_integrity {

/// Adds an event to the counter of its series. The first event of a series creates the counter.
void count(std::vector<Counter>& counters, const Event& event);

}  // namespace pg_integrity
