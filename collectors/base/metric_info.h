// Everything the runtime knows about a metric, and the value that it should have. Constants; safe
// on any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pg_integrity {

enum class MetricType : std::uint8_t {
  gauge,
  age,        ///< a gauge computed at each scrape: seconds since a stored moment
  counter,    ///< counts events since the process started
  histogram,  ///< distribution of events since the process started
};

struct MetricInfo;

/// The value that a metric should have. Only must_be(), at_most(), at_least() and within() create
/// one. Objectives are exported gauges; an objective without a value sets no limit. Compare metrics
/// by name.
struct Expectation {
  bool constant = false;  ///< the value must equal `value`
  double value = 0;
  const MetricInfo* upper = nullptr;  ///< must not be above this objective
  const MetricInfo* lower = nullptr;  ///< must not be below this objective
  /// A sentence for people. It says what is wrong when the metric does not have the expected value.
  /// Its placeholders stand in braces: any label of the metric, `server`, `database`, `value` and
  /// `limit`. The limit of within() is written as "at least 2 and at most 10". Value and limit are
  /// written in the metric's unit, as a duration, a size, a percentage or a plain number.
  /// "{row|rows}" is "row" if the value is 1, and "rows" otherwise.
  std::string_view says;

  [[nodiscard]] constexpr bool none() const {
    return !constant && upper == nullptr && lower == nullptr;
  }
};

/// An expectation without its sentence. No metric can be declared with it.
struct ExpectationWithoutSentence {
  Expectation expectation;

  /// @param text must outlive the metric; see Expectation::says.
  [[nodiscard]] constexpr Expectation says(std::string_view text) const {
    Expectation said = expectation;
    said.says = text;
    return said;
  }
};

inline constexpr std::size_t kMaxLabels = 6;

/// The declaration of a metric, as the runtime sees it. The runtime adds the labels `server` and
/// `database`; a metric never declares them.
struct MetricInfo {
  std::string_view name;
  std::string_view help;
  MetricType type = MetricType::gauge;
  /// A past event, such as a backup or a last entry, stays true. Its value outlives the evidence
  /// window.
  bool past_event = false;
  Expectation expectation;
  std::array<std::string_view, kMaxLabels> label_names{};
  std::size_t label_count = 0;
  /// Gathered over many checks and compared with later ones. It outlives a change of the options.
  bool learned = false;
  /// A sum that no later check can lower.
  bool cumulative = false;

  [[nodiscard]] constexpr std::span<const std::string_view> labels() const {
    return {label_names.data(), label_count};
  }
};

/// A metric whose type and number of labels the compiler knows.
template <MetricType Type, std::size_t Labels>
struct Metric : MetricInfo {
  static constexpr std::size_t kLabels = Labels;
};

}  // namespace pg_integrity
