#include "exporter/snapshot.h"

#include <algorithm>

namespace pg_integrity {

Seconds kept_interval(const CollectorHealth& health) {
  Seconds kept = std::max(health.configured_interval, health.last_duration);
  if (health.pass_since) kept = std::max(kept, health.pass_advanced - *health.pass_since);
  return kept;
}

std::string object_name(const CollectorSpec& spec, const ObjectKey& key) {
  std::string name(spec.name);
  char separator = '/';
  for (const std::string& value : key) {
    name += separator;
    name += value;
    separator = '.';
  }
  return name;
}

ObjectKey object_key(const CollectorSpec& spec, const MetricInfo& metric,
                     const std::vector<std::string>& labels) {
  ObjectKey key;
  const auto names = metric.labels();
  for (const std::string_view identity : spec.identity) {
    const auto found = std::find(names.begin(), names.end(), identity);
    if (found != names.end())
      key.push_back(labels[static_cast<std::size_t>(found - names.begin())]);
  }
  return key;
}

}  // namespace pg_integrity
