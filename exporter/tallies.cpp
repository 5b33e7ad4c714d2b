#include "exporter/tallies.h"

#include <algorithm>

namespace pg_integrity {

namespace {

Tally& tally_of(std::vector<Tally>& tallies, const Event& event) {
  const auto found = std::find_if(tallies.begin(), tallies.end(), [&](const Tally& tally) {
    return tally.metric == event.metric && tally.labels == event.labels;
  });
  if (found != tallies.end()) return *found;
  Tally tally;
  tally.metric = event.metric;
  tally.labels = event.labels;
  return tallies.emplace_back(std::move(tally));
}

}  // namespace

void count(std::vector<Tally>& tallies, const Event& event) {
  Tally& tally = tally_of(tallies, event);
  switch (event.kind) {
    case Event::Kind::count:
      tally.value += event.value;
      return;
    case Event::Kind::buckets:
      if (tally.per_bucket.empty()) {
        tally.upper_bounds = event.upper_bounds;
        tally.per_bucket.assign(event.upper_bounds.size() + 1, 0);
      }
      return;
    case Event::Kind::observation: {
      const auto bound =
          std::lower_bound(tally.upper_bounds.begin(), tally.upper_bounds.end(), event.value);
      const auto bucket = static_cast<std::size_t>(bound - tally.upper_bounds.begin());
      if (bucket < tally.per_bucket.size()) ++tally.per_bucket[bucket];
      tally.sum += event.value;
      return;
    }
  }
}

}  // namespace pg_integrity
