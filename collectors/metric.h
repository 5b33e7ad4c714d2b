// A metric, stated once as data: name, help, type, labels, and what its value SHOULD be. The
// verdict, the report, the metric reference and the alert coverage check all follow from this one
// declaration. A misnamed metric or a wrong number of labels does not compile. Constants; safe on
// any thread.
//
// Naming follows https://prometheus.io/docs/practices/naming/.
#pragma once

#include <array>
#include <concepts>
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

/// What a metric should be. Made by must_be(), at_most(), at_least(), within() only. Objectives are
/// exported gauges; an objective without a value sets no limit. Compare metrics by name.
struct Expectation {
  bool constant = false;  ///< the value must equal `value`
  double value = 0;
  const MetricInfo* upper = nullptr;  ///< must not be above this objective
  const MetricInfo* lower = nullptr;  ///< must not be below this objective

  [[nodiscard]] constexpr bool none() const {
    return !constant && upper == nullptr && lower == nullptr;
  }
};

inline constexpr std::size_t kMaxLabels = 6;

/// What the runtime needs to know of a metric. The labels `server` and `database` are added by the
/// runtime and are never declared.
struct MetricInfo {
  std::string_view name;
  std::string_view help;
  MetricType type = MetricType::gauge;
  /// A past event (a backup, a last entry) stays true: its value outlives the evidence window.
  bool past_event = false;
  Expectation expectation;
  std::array<std::string_view, kMaxLabels> label_names{};
  std::size_t label_count = 0;
  /// Gathered over many looks and held against later ones: it outlives a change of the options.
  bool learned = false;

  [[nodiscard]] constexpr std::span<const std::string_view> labels() const {
    return {label_names.data(), label_count};
  }
};

/// A metric whose type and number of labels the compiler knows.
template <MetricType Type, std::size_t Labels>
struct Metric : MetricInfo {
  static constexpr std::size_t kLabels = Labels;
};

namespace metric_detail {

// Reaching one of these in a constant expression is the compile error; its name is the message.
inline void metric_name_must_start_with_pg_integrity() {}
inline void metric_name_must_be_lower_case_words_joined_by_underscores() {}
inline void metric_needs_a_help_text() {}
inline void only_counters_end_in_total() {}
inline void metric_must_use_a_base_unit() {}
inline void age_must_end_in_age_seconds() {}
inline void label_name_is_invalid_or_reserved() {}
inline void label_is_declared_twice() {}
inline void objective_has_a_label_that_this_metric_lacks() {}
inline void objective_must_be_a_gauge() {}

inline constexpr std::string_view kPrefix = "pg_integrity_";
inline constexpr std::array<std::string_view, 14> kOtherUnits{
    "_milliseconds", "_ms", "_minutes", "_hours", "_days", "_kilobytes", "_megabytes",
    "_mb",           "_kb", "_percent", "_bits",  "_usec", "_us",        "_sec"};
inline constexpr std::array<std::string_view, 4> kReservedLabels{"server", "database", "le",
                                                                 "quantile"};

constexpr bool is_snake_case(std::string_view name) {
  bool word_open = false;
  for (const char c : name) {
    const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!letter_or_digit && (c != '_' || !word_open)) return false;
    word_open = letter_or_digit;
  }
  return word_open && name.front() >= 'a' && name.front() <= 'z';
}

constexpr void check_name(const MetricInfo& metric) {
  if (!metric.name.starts_with(kPrefix)) metric_name_must_start_with_pg_integrity();
  if (!is_snake_case(metric.name)) metric_name_must_be_lower_case_words_joined_by_underscores();
  if (metric.help.empty()) metric_needs_a_help_text();
  const bool counter = metric.type == MetricType::counter;
  if (metric.name.ends_with("_total") != counter) only_counters_end_in_total();
  if (metric.type == MetricType::age && !metric.name.ends_with("_age_seconds"))
    age_must_end_in_age_seconds();
  for (const std::string_view unit : kOtherUnits)
    if (metric.name.ends_with(unit)) metric_must_use_a_base_unit();
}

constexpr void check_labels(const MetricInfo& metric) {
  const auto labels = metric.labels();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!is_snake_case(labels[i])) label_name_is_invalid_or_reserved();
    for (const std::string_view reserved : kReservedLabels)
      if (labels[i] == reserved) label_name_is_invalid_or_reserved();
    for (std::size_t j = 0; j < i; ++j)
      if (labels[i] == labels[j]) label_is_declared_twice();
  }
}

constexpr void check_objective(const MetricInfo& metric, const MetricInfo* objective) {
  if (objective == nullptr) return;
  if (objective->type != MetricType::gauge) objective_must_be_a_gauge();
  for (const std::string_view wanted : objective->labels()) {
    bool found = false;
    for (const std::string_view own : metric.labels()) found = found || own == wanted;
    if (!found) objective_has_a_label_that_this_metric_lacks();
  }
}

template <MetricType Type, typename... Label>
consteval auto declare(std::string_view name, std::string_view help, Expectation expectation,
                       Label... label) {
  static_assert(sizeof...(Label) <= kMaxLabels, "a metric has at most kMaxLabels labels");
  Metric<Type, sizeof...(Label)> metric;
  metric.name = name;
  metric.help = help;
  metric.type = Type;
  metric.past_event = Type == MetricType::age;
  metric.expectation = expectation;
  metric.label_names = {std::string_view(label)...};
  metric.label_count = sizeof...(Label);
  check_name(metric);
  check_labels(metric);
  check_objective(metric, expectation.upper);
  check_objective(metric, expectation.lower);
  return metric;
}

}  // namespace metric_detail

/// The value must be exactly this.
consteval Expectation must_be(double value) {
  return {true, value, nullptr, nullptr};
}

/// The value must not be above the objective, another exported gauge whose labels are among its
/// own.
/// @param objective a constant at namespace scope: its address is kept.
consteval Expectation at_most(const MetricInfo& objective) {
  return {false, 0, &objective, nullptr};
}

/// The value must not be below the objective; else as at_most().
consteval Expectation at_least(const MetricInfo& objective) {
  return {false, 0, nullptr, &objective};
}

/// The value must lie between two objectives, either of which may be unset; else as at_most().
consteval Expectation within(const MetricInfo& lower, const MetricInfo& upper) {
  return {false, 0, &upper, &lower};
}

template <typename... Label>
concept LabelNames = (std::convertible_to<Label, std::string_view> && ...);

/// A gauge with an expectation: gauge(name, help, must_be(0), "label", …).
template <LabelNames... Label>
consteval auto gauge(std::string_view name, std::string_view help, Expectation expectation,
                     Label... label) {
  return metric_detail::declare<MetricType::gauge>(name, help, expectation, label...);
}

/// A gauge that is observed, not judged.
template <LabelNames... Label>
consteval auto gauge(std::string_view name, std::string_view help, Label... label) {
  return metric_detail::declare<MetricType::gauge>(name, help, Expectation{}, label...);
}

/// Seconds since a moment, computed at each scrape. Always a past event.
template <LabelNames... Label>
consteval auto age(std::string_view name, std::string_view help, Expectation expectation,
                   Label... label) {
  return metric_detail::declare<MetricType::age>(name, help, expectation, label...);
}

/// A count of events; the name ends in _total.
template <LabelNames... Label>
consteval auto counter(std::string_view name, std::string_view help, Label... label) {
  return metric_detail::declare<MetricType::counter>(name, help, Expectation{}, label...);
}

/// A distribution of events. Its buckets are chosen per series, at declaration (Batch::histogram).
template <LabelNames... Label>
consteval auto histogram(std::string_view name, std::string_view help, Label... label) {
  return metric_detail::declare<MetricType::histogram>(name, help, Expectation{}, label...);
}

/// The same metric, told of something that happened: it stays true when the evidence grows old.
template <MetricType Type, std::size_t Labels>
consteval Metric<Type, Labels> past_event(Metric<Type, Labels> metric) {
  metric.past_event = true;
  return metric;
}

/// The same metric, told of what the collector learned over time (the highest number seen): a past
/// event that no look brings back once it is forgotten, so that it outlives a change of the
/// collector's options, too; only what is excluded from looking, or another spec version, ends it.
template <MetricType Type, std::size_t Labels>
consteval Metric<Type, Labels> learned(Metric<Type, Labels> metric) {
  metric.past_event = true;
  metric.learned = true;
  return metric;
}

}  // namespace pg_integrity
