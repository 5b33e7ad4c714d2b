#include "exporter/families.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <set>

namespace pg_integrity {

namespace {

/// The serializer writes 16 digits: the largest double would be rounded up, out of range, and take
/// the whole scrape down.
double printable(double value) {
  constexpr double kLargest = 1.797693134862315e308;
  return std::isfinite(value) ? std::clamp(value, -kLargest, kLargest) : value;
}

/// HELP is written raw.
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

/// Length of the UTF-8 sequence at `at`; 0 if there is none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return 1;
  std::size_t length = 0;
  if (lead >= 0xc2 && lead <= 0xdf) length = 2;
  if (lead >= 0xe0 && lead <= 0xef) length = 3;
  if (lead >= 0xf0 && lead <= 0xf4) length = 4;
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xc0U) != 0x80U) return 0;
  const unsigned char second = byte(at + 1);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool outside = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
  return overlong || outside ? 0 : length;
}

}  // namespace

struct Families::Entry {
  prometheus::MetricFamily family;
  std::set<std::vector<std::string>> seen;

  /// @return nullptr if the series is there already.
  prometheus::ClientMetric* add(prometheus::MetricType type, const Labels& labels) {
    family.type = type;
    prometheus::ClientMetric metric;
    std::vector<std::string> series;
    for (const auto& [name, value] : labels) {
      metric.label.push_back({name, valid_utf8(value)});
      series.push_back(name + "=" + metric.label.back().value);
    }
    if (!seen.insert(std::move(series)).second) return nullptr;
    family.metric.push_back(std::move(metric));
    return &family.metric.back();
  }
};

Families::Families() = default;
Families::~Families() = default;

Families::Entry& Families::entry(std::string_view name, std::string_view help) {
  auto found = entries_.find(name);
  if (found == entries_.end()) {
    found = entries_.emplace(name, std::make_unique<Entry>()).first;
    found->second->family.name = name;
    found->second->family.help = escaped_help(help);
  }
  return *found->second;
}

void Families::gauge(std::string_view name, std::string_view help, const Labels& labels,
                     double value) {
  if (auto* metric = entry(name, help).add(prometheus::MetricType::Gauge, labels))
    metric->gauge.value = printable(value);
}

void Families::counter(std::string_view name, std::string_view help, const Labels& labels,
                       double value) {
  if (auto* metric = entry(name, help).add(prometheus::MetricType::Counter, labels))
    metric->counter.value = printable(value);
}

void Families::histogram(std::string_view name, std::string_view help, const Labels& labels,
                         const Tally& tally) {
  auto* metric = entry(name, help).add(prometheus::MetricType::Histogram, labels);
  if (metric == nullptr) return;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < tally.per_bucket.size(); ++i) {
    cumulative += tally.per_bucket[i];
    const double bound = i < tally.upper_bounds.size() ? tally.upper_bounds[i]
                                                       : std::numeric_limits<double>::infinity();
    metric->histogram.bucket.push_back({cumulative, bound});
  }
  metric->histogram.sample_count = cumulative;
  metric->histogram.sample_sum = printable(tally.sum);
}

std::string Families::take_text() {
  std::vector<prometheus::MetricFamily> families;
  for (auto& [name, entry] : entries_) families.push_back(std::move(entry->family));
  entries_.clear();
  return prometheus::TextSerializer().Serialize(families);
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    if (length == 0) {
      std::array<char, 5> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x",
                    static_cast<unsigned>(static_cast<unsigned char>(text[at])));
      out += escaped.data();
      ++at;
    } else {
      out += text.substr(at, length);
      at += length;
    }
  }
  return out;
}

}  // namespace pg_integrity
