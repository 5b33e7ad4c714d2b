// Metric families with the guard that prometheus-cpp's serializer lacks: label values are valid
// UTF-8, a series appears once, HELP is escaped, values can be written. One thread at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/evidence/snapshot.h"

namespace pg_integrity {

/// Label names and values, in the order they are written.
using Labels = std::vector<std::pair<std::string, std::string>>;

class MetricFamilies {
 public:
  MetricFamilies();
  ~MetricFamilies();
  MetricFamilies(const MetricFamilies&) = delete;
  MetricFamilies& operator=(const MetricFamilies&) = delete;

  /// A series that is there already keeps its first value.
  void gauge(std::string_view name, std::string_view help, const Labels& labels, double value);
  void counter(std::string_view name, std::string_view help, const Labels& labels, double value);
  void histogram(std::string_view name, std::string_view help, const Labels& labels,
                 const Counter& counter);

  /// Everything added, in Prometheus' text format, families sorted by name. Leaves nothing.
  [[nodiscard]] std::string take_text();

 private:
  struct Entry;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;

  Entry& entry(std::string_view name, std::string_view help);
};

/// `text` as a label value that Prometheus takes: bytes that are no UTF-8 become \xNN.
std::string valid_utf8(std::string_view text);

}  // namespace pg_integrity
