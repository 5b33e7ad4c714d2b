// Counters and histograms, summed up from events.
#pragma once

#include <vector>

#include "collectors/batch.h"
#include "exporter/snapshot.h"

namespace pg_integrity {

/// Adds an event to the tally of its series, which begins with its first event.
void count(std::vector<Tally>& tallies, const Event& event);

}  // namespace pg_integrity
