#include "exporter/evidence/snapshot.h"

#include <fmt/format.h>

#include <algorithm>

#include "collectors/base/batch.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/metric_set.h"

namespace pg_integrity {

Seconds kept_interval(const CollectorHealth& health) {
  const Seconds last = health.last_wait + health.last_duration;
  if (!health.pass_since) return std::max(health.configured_interval, last);
  return std::max({health.configured_interval, last,
                   health.pass_waited + (health.pass_advanced - *health.pass_since)});
}

const MetricInfo* metric_named(const CollectorSpec& spec, const MetricSet* own_metrics,
                               std::string_view name) {
  for (const MetricInfo* metric : spec.metrics)
    if (metric->name == name) return metric;
  return own_metrics == nullptr ? nullptr : own_metrics->find(name);
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

std::string series_name(const CollectorSpec& spec, const Sample& sample) {
  std::string further;
  const auto names = sample.metric->labels();
  for (std::size_t i = 0; i < sample.labels.size(); ++i)
    if (!sample.labels[i].empty() &&
        std::find(spec.identity.begin(), spec.identity.end(), names[i]) == spec.identity.end())
      further += fmt::format("{}{}={}", further.empty() ? "{" : ", ", names[i], sample.labels[i]);
  if (!further.empty()) further += '}';
  return std::string(sample.metric->name.substr(metric_detail::kPrefix.size())) + further;
}

ObjectKey object_key(const CollectorSpec& spec, const MetricInfo& metric,
                     const LabelValues& labels) {
  const auto names = metric.labels();
  if (std::equal(names.begin(), names.end(), spec.identity.begin(), spec.identity.end()))
    return labels;
  LabelValues::Texts key;
  for (const std::string_view identity : spec.identity) {
    const auto found = std::find(names.begin(), names.end(), identity);
    if (found != names.end())
      key.push_back(labels[static_cast<std::size_t>(found - names.begin())]);
  }
  return key;
}

}  // namespace pg_integrity
