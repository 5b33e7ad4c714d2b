// A metric, stated once as data: name, help, type, labels, and what its value SHOULD be, with a
// sentence for people that says what is wrong when it is not. The verdict, the report, the metric
// reference and the alerts all follow from this one declaration. A misnamed metric, a wrong number
// of labels or a missing sentence does not compile. Constants; safe on any thread.
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

/// The value must be exactly this. Each of these four needs a sentence to become an expectation:
/// must_be(0).says("{value} rows of {schema}.{table} refer to no existing row.").
constexpr ExpectationWithoutSentence must_be(double value) {
  return {{true, value, nullptr, nullptr, {}}};
}

/// The value must not be above the objective, another exported gauge whose labels are among its
/// own.
/// @param objective outlives the metric: its address is kept.
constexpr ExpectationWithoutSentence at_most(const MetricInfo& objective) {
  return {{false, 0, &objective, nullptr, {}}};
}

/// The value must not be below the objective; else as at_most().
constexpr ExpectationWithoutSentence at_least(const MetricInfo& objective) {
  return {{false, 0, nullptr, &objective, {}}};
}

/// The value must lie between two objectives, either of which may be unset; else as at_most().
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
