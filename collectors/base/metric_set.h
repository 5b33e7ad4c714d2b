// Metrics that the configuration declares. They follow the same rules as those of metric.h, and own
// their texts. One thread builds the set. From then on it is constant and safe on any thread.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/metric_info.h"

namespace pg_integrity {

class MetricSet {
 public:
  MetricSet() = default;
  MetricSet(const MetricSet&) = delete;
  MetricSet& operator=(const MetricSet&) = delete;

  /// Adds a gauge. It does not check the rules; fault_of() does.
  /// @param labels at most kMaxLabels.
  /// @param expectation its objectives are metrics of this set. If it has no sentence, a plain one
  /// is written.
  /// @return a reference that is valid for as long as the set.
  const MetricInfo& add(std::string name, std::string help, std::vector<std::string> labels,
                        const Expectation& expectation) {
    Entry& entry = entries_.emplace_back();
    entry.name = std::move(name);
    entry.help = std::move(help);
    entry.labels = std::move(labels);
    entry.info.name = entry.name;
    entry.info.help = entry.help;
    for (const std::string& label : entry.labels)
      entry.info.label_names.at(entry.info.label_count++) = label;
    entry.says = expectation.says;
    if (!expectation.none() && entry.says.empty()) entry.says = plain_sentence(entry, expectation);
    entry.info.expectation = expectation;
    entry.info.expectation.says = entry.says;
    return entry.info;
  }

  /// @return nullptr if there is no such metric.
  [[nodiscard]] const MetricInfo* find(std::string_view name) const {
    for (const Entry& entry : entries_)
      if (entry.name == name) return &entry.info;
    return nullptr;
  }

 private:
  struct Entry {
    std::string name;
    std::string help;
    std::vector<std::string> labels;
    std::string says;
    MetricInfo info;  ///< refers to the texts above
  };

  /// "The metric NAME (label {label}) is {value}, it must be at most {limit}."
  static std::string plain_sentence(const Entry& entry, const Expectation& expectation) {
    std::string text = "The metric " + entry.name;
    for (std::size_t i = 0; i < entry.labels.size(); ++i)
      text += (i == 0 ? " (" : ", ") + entry.labels[i] + " {" + entry.labels[i] + "}";
    if (!entry.labels.empty()) text += ")";
    text += " is {value}, it must be ";
    if (expectation.lower == nullptr && expectation.upper != nullptr) text += "at most ";
    if (expectation.upper == nullptr && expectation.lower != nullptr) text += "at least ";
    return text + "{limit}.";
  }

  std::deque<Entry> entries_;  ///< a deque, so that its elements never move
};

}  // namespace pg_integrity
