// Metric families, guarded against what prometheus-cpp's serializer lets through. Label values are
// valid UTF-8, a series appears once, HELP is escaped, and every value can be written. One thread
// at a time.
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

  /// If a series is added twice, the first value stays.
  void gauge(std::string_view name, std::string_view help, const Labels& labels, double value);
  void counter(std::string_view name, std::string_view help, const Labels& labels, double value);
  void histogram(std::string_view name, std::string_view help, const Labels& labels,
                 const Counter& counter);

  /// Takes everything added and leaves none of it.
  /// @return Prometheus' text format, with families sorted by name.
  [[nodiscard]] std::string take_text();

 private:
  struct Entry;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;

  Entry& entry(std::string_view name, std::string_view help);
};

/// `text` as a label value that Prometheus accepts. Bytes that are not UTF-8 become \xNN.
std::string valid_utf8(std::string_view text);

}  // namespace pg_integrity
