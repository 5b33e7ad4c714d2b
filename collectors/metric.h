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
#include <initializer_list>
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

/// What is wrong with the declaration of a metric.
enum class MetricFault : std::uint8_t {
  none,
  prefix,
  name,
  help,
  total,
  unit,
  age,
  label,
  label_twice,
  objective_label,
  objective_type,
};

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
  /// A sum that no later look brings down.
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

constexpr MetricFault name_fault(const MetricInfo& metric) {
  if (!metric.name.starts_with(kPrefix)) return MetricFault::prefix;
  if (!is_snake_case(metric.name)) return MetricFault::name;
  if (metric.help.empty()) return MetricFault::help;
  const bool counter = metric.type == MetricType::counter;
  if (metric.name.ends_with("_total") != counter) return MetricFault::total;
  if (metric.type == MetricType::age && !metric.name.ends_with("_age_seconds"))
    return MetricFault::age;
  for (const std::string_view unit : kOtherUnits)
    if (metric.name.ends_with(unit)) return MetricFault::unit;
  return MetricFault::none;
}

constexpr MetricFault label_fault(const MetricInfo& metric) {
  const auto labels = metric.labels();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!is_snake_case(labels[i])) return MetricFault::label;
    for (const std::string_view reserved : kReservedLabels)
      if (labels[i] == reserved) return MetricFault::label;
    for (std::size_t j = 0; j < i; ++j)
      if (labels[i] == labels[j]) return MetricFault::label_twice;
  }
  return MetricFault::none;
}

constexpr MetricFault objective_fault(const MetricInfo& metric, const MetricInfo* objective) {
  if (objective == nullptr) return MetricFault::none;
  if (objective->type != MetricType::gauge) return MetricFault::objective_type;
  for (const std::string_view wanted : objective->labels()) {
    bool found = false;
    for (const std::string_view own : metric.labels()) found = found || own == wanted;
    if (!found) return MetricFault::objective_label;
  }
  return MetricFault::none;
}

}  // namespace metric_detail

/// The first rule that a declaration breaks. Constants are refused by the compiler, what a
/// configuration declares is when it is loaded.
constexpr MetricFault fault_of(const MetricInfo& metric) {
  const Expectation& expectation = metric.expectation;
  for (const MetricFault fault :
       {metric_detail::name_fault(metric), metric_detail::label_fault(metric),
        metric_detail::objective_fault(metric, expectation.upper),
        metric_detail::objective_fault(metric, expectation.lower)})
    if (fault != MetricFault::none) return fault;
  return MetricFault::none;
}

/// The rule, for whoever broke it: "must be …".
constexpr std::string_view text_of(MetricFault fault) {
  switch (fault) {
    case MetricFault::none:
      return "";
    case MetricFault::prefix:
      return "must have a name that begins with pg_integrity_";
    case MetricFault::name:
      return "must have a name of lower-case words joined by underscores";
    case MetricFault::help:
      return "must have a help text";
    case MetricFault::total:
      return "must not end in _total, which means a counter";
    case MetricFault::unit:
      return "must use a base unit: seconds, bytes, a ratio";
    case MetricFault::age:
      return "must end in _age_seconds";
    case MetricFault::label:
      return "has a label that is reserved or is not of lower-case words joined by underscores";
    case MetricFault::label_twice:
      return "has a label twice";
    case MetricFault::objective_label:
      return "lacks a label of its objective";
    case MetricFault::objective_type:
      return "must have a gauge as its objective";
  }
  return "";
}

namespace metric_detail {

constexpr void refuse(MetricFault fault) {
  switch (fault) {
    case MetricFault::none:
      return;
    case MetricFault::prefix:
      return metric_name_must_start_with_pg_integrity();
    case MetricFault::name:
      return metric_name_must_be_lower_case_words_joined_by_underscores();
    case MetricFault::help:
      return metric_needs_a_help_text();
    case MetricFault::total:
      return only_counters_end_in_total();
    case MetricFault::unit:
      return metric_must_use_a_base_unit();
    case MetricFault::age:
      return age_must_end_in_age_seconds();
    case MetricFault::label:
      return label_name_is_invalid_or_reserved();
    case MetricFault::label_twice:
      return label_is_declared_twice();
    case MetricFault::objective_label:
      return objective_has_a_label_that_this_metric_lacks();
    case MetricFault::objective_type:
      return objective_must_be_a_gauge();
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
  refuse(fault_of(metric));
  return metric;
}

}  // namespace metric_detail

/// The value must be exactly this.
constexpr Expectation must_be(double value) {
  return {true, value, nullptr, nullptr};
}

/// The value must not be above the objective, another exported gauge whose labels are among its
/// own.
/// @param objective outlives the metric: its address is kept.
constexpr Expectation at_most(const MetricInfo& objective) {
  return {false, 0, &objective, nullptr};
}

/// The value must not be below the objective; else as at_most().
constexpr Expectation at_least(const MetricInfo& objective) {
  return {false, 0, nullptr, &objective};
}

/// The value must lie between two objectives, either of which may be unset; else as at_most().
constexpr Expectation within(const MetricInfo& lower, const MetricInfo& upper) {
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

/// The same metric, told of a sum that no later look brings down: a past event that is no reason to
/// look again soon.
template <MetricType Type, std::size_t Labels>
consteval Metric<Type, Labels> cumulative(Metric<Type, Labels> metric) {
  metric.past_event = true;
  metric.cumulative = true;
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
