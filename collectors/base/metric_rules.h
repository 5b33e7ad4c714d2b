// The rules that every declaration of a metric must obey, and the compile errors for breaking one.
// Constants; safe on any thread.
//
// Naming follows https://prometheus.io/docs/practices/naming/.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "collectors/base/metric_info.h"

namespace pg_integrity {

/// A fault in the declaration of a metric.
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
  sentence,
  placeholder,
  sentence_lacks_limit,
};

namespace metric_detail {

// A call of one of these in a constant expression is the compile error. Its name is the message.
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
inline void expectation_needs_a_sentence_with_a_capital_and_a_full_stop() {}
inline void sentence_has_a_placeholder_that_is_no_label_of_this_metric() {}
inline void sentence_of_an_objective_must_name_value_and_limit() {}

inline constexpr std::string_view kPrefix = "pg_integrity_";
inline constexpr std::array<std::string_view, 14> kOtherUnits{
    "_milliseconds", "_ms", "_minutes", "_hours", "_days", "_kilobytes", "_megabytes",
    "_mb",           "_kb", "_percent", "_bits",  "_usec", "_us",        "_sec"};
inline constexpr std::array<std::string_view, 4> kReservedLabels{"server", "database", "le",
                                                                 "quantile"};
/// Placeholders that every sentence may use, beside the metric's labels.
inline constexpr std::array<std::string_view, 4> kPlaceholders{"server", "database", "value",
                                                               "limit"};

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

/// Words for the value 1 and for others: "row|rows".
constexpr bool is_choice(std::string_view words) {
  const std::size_t bar = words.find('|');
  return bar != std::string_view::npos && bar > 0 && bar + 1 < words.size() &&
         words.find_first_of("|{", bar + 1) == std::string_view::npos;
}

constexpr bool is_placeholder(const MetricInfo& metric, std::string_view name) {
  if (is_choice(name)) return true;
  for (const std::string_view label : metric.labels())
    if (name == label) return true;
  for (const std::string_view placeholder : kPlaceholders)
    if (name == placeholder) return true;
  return false;
}

/// Whether every brace belongs to a placeholder that this metric has.
constexpr bool placeholders_exist(const MetricInfo& metric) {
  std::string_view rest = metric.expectation.says;
  for (std::size_t brace = rest.find_first_of("{}"); brace != std::string_view::npos;
       brace = rest.find_first_of("{}")) {
    const std::size_t end = rest.find('}', brace);
    if (rest[brace] == '}' || end == std::string_view::npos) return false;
    if (!is_placeholder(metric, rest.substr(brace + 1, end - brace - 1))) return false;
    rest.remove_prefix(end + 1);
  }
  return true;
}

constexpr MetricFault sentence_fault(const MetricInfo& metric) {
  const Expectation& expectation = metric.expectation;
  if (expectation.none()) return MetricFault::none;
  const std::string_view says = expectation.says;
  if (says.empty() || (says.front() >= 'a' && says.front() <= 'z') || !says.ends_with('.'))
    return MetricFault::sentence;
  if (!placeholders_exist(metric)) return MetricFault::placeholder;
  if (!expectation.constant && (says.find("{value}") == std::string_view::npos ||
                                says.find("{limit}") == std::string_view::npos))
    return MetricFault::sentence_lacks_limit;
  return MetricFault::none;
}

}  // namespace metric_detail

/// The first rule that a declaration breaks. The compiler refuses faulty constants. The reader of
/// the configuration refuses faulty metrics of the user.
constexpr MetricFault fault_of(const MetricInfo& metric) {
  const Expectation& expectation = metric.expectation;
  for (const MetricFault fault :
       {metric_detail::name_fault(metric), metric_detail::label_fault(metric),
        metric_detail::objective_fault(metric, expectation.upper),
        metric_detail::objective_fault(metric, expectation.lower),
        metric_detail::sentence_fault(metric)})
    if (fault != MetricFault::none) return fault;
  return MetricFault::none;
}

/// The broken rule, as the predicate of a message about the metric: "must have a help text".
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
    case MetricFault::sentence:
      return "must say in a sentence, from a capital to a full stop, what is wrong";
    case MetricFault::placeholder:
      return "has a placeholder in its sentence that is none of its labels";
    case MetricFault::sentence_lacks_limit:
      return "must name {value} and {limit} in its sentence";
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
    case MetricFault::sentence:
      return expectation_needs_a_sentence_with_a_capital_and_a_full_stop();
    case MetricFault::placeholder:
      return sentence_has_a_placeholder_that_is_no_label_of_this_metric();
    case MetricFault::sentence_lacks_limit:
      return sentence_of_an_objective_must_name_value_and_limit();
  }
}

}  // namespace metric_detail

}  // namespace pg_integrity
