#include "exporter/metrics/metric_families.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <unordered_set>

#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/utf8.h"

namespace pg_integrity {

namespace {

/// A value that can be written. The serializer writes 16 digits, which would round the largest
/// double up and out of range, and Prometheus would reject the whole scrape.
double printable(double value) {
  constexpr double kLargest = 1.797693134862315e308;
  return std::isfinite(value) ? std::clamp(value, -kLargest, kLargest) : value;
}

/// Escapes HELP, because the serializer does not.
std::string escaped_help(std::string_view help) {
  std::string out;
  for (const char c : help) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

}  // namespace

/// A family of the serializer takes several times the memory of its text. So its series become text
/// in portions.
struct MetricFamilies::Entry {
  std::vector<prometheus::MetricFamily> families{1};  ///< as the serializer wants it: this family
  std::unordered_set<std::string> seen;
  std::string text;

  prometheus::MetricFamily& family() { return families.front(); }

  /// @return nullptr if the series is there already.
  prometheus::ClientMetric* add(prometheus::MetricType type, const Labels& labels) {
    constexpr std::size_t kPortion = 256;
    if (family().metric.size() == kPortion) write();
    family().type = type;
    prometheus::ClientMetric metric;
    metric.label.reserve(labels.size());
    std::string series;
    for (const auto& [name, value] : labels) {
      metric.label.push_back({name, valid_utf8(value)});
      const std::string& valid = metric.label.back().value;
      series.append(name).append("=").append(std::to_string(valid.size())).append(":") += valid;
    }
    if (!seen.insert(std::move(series)).second) return nullptr;
    family().metric.push_back(std::move(metric));
    return &family().metric.back();
  }

  /// Appends the series that are not written yet. Only the first text keeps its head, the lines
  /// that begin with '#'.
  void write() {
    const std::string more = prometheus::TextSerializer().Serialize(families);
    family().metric.clear();
    std::size_t from = 0;
    while (!text.empty() && more.compare(from, 2, "# ") == 0) from = more.find('\n', from) + 1;
    text.append(more, from);
  }
};

MetricFamilies::MetricFamilies() = default;
MetricFamilies::~MetricFamilies() = default;

MetricFamilies::Entry& MetricFamilies::entry(std::string_view name, std::string_view help) {
  auto found = entries_.find(name);
  if (found == entries_.end()) {
    found = entries_.emplace(name, std::make_unique<Entry>()).first;
    found->second->family().name = name;
    found->second->family().help = escaped_help(help);
  }
  return *found->second;
}

void MetricFamilies::gauge(std::string_view name, std::string_view help, const Labels& labels,
                           double value) {
  if (auto* metric = entry(name, help).add(prometheus::MetricType::Gauge, labels))
    metric->gauge.value = printable(value);
}

void MetricFamilies::counter(std::string_view name, std::string_view help, const Labels& labels,
                             double value) {
  if (auto* metric = entry(name, help).add(prometheus::MetricType::Counter, labels))
    metric->counter.value = printable(value);
}

void MetricFamilies::histogram(std::string_view name, std::string_view help, const Labels& labels,
                               const Counter& counter) {
  auto* metric = entry(name, help).add(prometheus::MetricType::Histogram, labels);
  if (metric == nullptr) return;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < counter.per_bucket.size(); ++i) {
    cumulative += counter.per_bucket[i];
    const double bound = i < counter.upper_bounds.size() ? counter.upper_bounds[i]
                                                         : std::numeric_limits<double>::infinity();
    metric->histogram.bucket.push_back({cumulative, bound});
  }
  metric->histogram.sample_count = cumulative;
  metric->histogram.sample_sum = printable(counter.sum);
}

std::string MetricFamilies::take_text() {
  std::string text;
  for (auto& [name, entry] : entries_) {
    entry->write();
    text += entry->text;
    entry.reset();
  }
  entries_.clear();
  return text;
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::optional<Utf8Character> next = first_utf8(text.substr(at));
    if (!next) {
      std::array<char, 5> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x",
                    static_cast<unsigned>(static_cast<unsigned char>(text[at])));
      out += escaped.data();
      ++at;
    } else {
      out += text.substr(at, next->bytes);
      at += next->bytes;
    }
  }
  return out;
}

}  // namespace pg_integrity
