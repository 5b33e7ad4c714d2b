#include "exporter/evidence/counters.h"

#include <algorithm>

namespace pg_integrity {

namespace {

Counter& tally_of(std::vector<Counter>& counters, const Event& event) {
  const auto found = std::find_if(counters.begin(), counters.end(), [&](const Counter& counter) {
    return counter.metric == event.metric && counter.labels == event.labels;
  });
  if (found != counters.end()) return *found;
  Counter counter;
  counter.metric = event.metric;
  counter.labels = event.labels;
  return counters.emplace_back(std::move(counter));
}

}  // namespace

void count(std::vector<Counter>& counters, const Event& event) {
  Counter& counter = tally_of(counters, event);
  switch (event.kind) {
    case Event::Kind::count:
      counter.value += event.value;
      return;
    case Event::Kind::buckets:
      if (counter.per_bucket.empty()) {
        counter.upper_bounds = event.upper_bounds;
        counter.per_bucket.assign(event.upper_bounds.size() + 1, 0);
      }
      return;
    case Event::Kind::observation: {
      const auto bound =
          std::lower_bound(counter.upper_bounds.begin(), counter.upper_bounds.end(), event.value);
      const auto bucket = static_cast<std::size_t>(bound - counter.upper_bounds.begin());
      if (bucket < counter.per_bucket.size()) ++counter.per_bucket[bucket];
      counter.sum += event.value;
      return;
    }
  }
}

}  // namespace pg_integrity
