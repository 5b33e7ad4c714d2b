// A metric, declared once as data: name, help, type, labels, and the value that it should have. A
// sentence for people says what is wrong if it has another value. The verdict, the report, the
// metric reference and the alerts all follow from this declaration. A misnamed metric, a wrong
// number of labels or a missing sentence does not compile. Constants; safe on any thread.
#pragma once

#include <concepts>
#include <string_view>

#include "collectors/base/metric_info.h"
#include "collectors/base/metric_rules.h"

namespace pg_integrity {

namespace metric_detail {

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

/// The value must be exactly `value`. This function and the next three need a sentence to become an
/// expectation: must_be(0).says("{value} {row|rows} of {schema}.{table} {is|are} empty.").
constexpr ExpectationWithoutSentence must_be(double value) {
  return {{true, value, nullptr, nullptr, {}}};
}

/// The value must not be above the objective. The objective is another exported gauge; its labels
/// are among those of this metric.
/// @param objective must outlive the metric, which keeps its address.
constexpr ExpectationWithoutSentence at_most(const MetricInfo& objective) {
  return {{false, 0, &objective, nullptr, {}}};
}

/// The value must not be below the objective; otherwise like at_most().
constexpr ExpectationWithoutSentence at_least(const MetricInfo& objective) {
  return {{false, 0, nullptr, &objective, {}}};
}

/// The value must lie between two objectives, either of which may be unset; otherwise like
/// at_most().
constexpr ExpectationWithoutSentence within(const MetricInfo& lower, const MetricInfo& upper) {
  return {{false, 0, &upper, &lower, {}}};
}

template <typename... Label>
concept LabelNames = (std::convertible_to<Label, std::string_view> && ...);

/// A gauge with an expectation: gauge(name, help, must_be(0).says("…"), "label", …).
template <LabelNames... Label>
consteval auto gauge(std::string_view name, std::string_view help, Expectation expectation,
                     Label... label) {
  return metric_detail::declare<MetricType::gauge>(name, help, expectation, label...);
}

/// A gauge without an expectation. It is observed but not judged.
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

/// A count of events. Its name ends in _total.
template <LabelNames... Label>
consteval auto counter(std::string_view name, std::string_view help, Label... label) {
  return metric_detail::declare<MetricType::counter>(name, help, Expectation{}, label...);
}

/// A distribution of events. Batch::buckets() declares the buckets of each series.
template <LabelNames... Label>
consteval auto histogram(std::string_view name, std::string_view help, Label... label) {
  return metric_detail::declare<MetricType::histogram>(name, help, Expectation{}, label...);
}

/// The same metric for something that happened. Its value stays true when the evidence grows old.
template <MetricType Type, std::size_t Labels>
consteval Metric<Type, Labels> past_event(Metric<Type, Labels> metric) {
  metric.past_event = true;
  return metric;
}

/// The same metric for a sum that no later check can lower. It is a past event, and a bad value is
/// no reason for an early recheck.
template <MetricType Type, std::size_t Labels>
consteval Metric<Type, Labels> cumulative(Metric<Type, Labels> metric) {
  metric.past_event = true;
  metric.cumulative = true;
  return metric;
}

/// The same metric for knowledge that the collector gathered over time, such as the highest number
/// seen. It is a past event, and no check can restore it once it is forgotten. It therefore
/// outlives a change of the collector's options. It ends only when its object is excluded from
/// checking, or with another spec version.
template <MetricType Type, std::size_t Labels>
consteval Metric<Type, Labels> learned(Metric<Type, Labels> metric) {
  metric.past_event = true;
  metric.learned = true;
  return metric;
}

}  // namespace pg_integrity
