#include "collectors/base/metric.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "collectors/base/batch.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/metric_rules.h"
#include "collectors/collector.h"
#include "collectors/recovery/backup_metrics.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/sample_evidence.h"

namespace pg_integrity::test::metric_test {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// tests/contract/metrics_test.cpp shows that the compiler refuses a metric with a fault.
MetricFault name_fault(std::string_view name, std::string_view help,
                       MetricType type = MetricType::gauge) {
  return fault_of(MetricInfo{name, help, type, false, {}});
}

TEST(MetricName, MustFollowTheRules) {
  for (const char* fine : {"pg_integrity_things", "pg_integrity_things_2_bytes"})
    EXPECT_EQ(name_fault(fine, "Help."), MetricFault::none) << fine;
  EXPECT_EQ(name_fault("pg_things", "Help."), MetricFault::prefix);
  for (const char* odd : {"pg_integrity_Things", "pg_integrity__things", "pg_integrity_things_",
                          "pg_integrity_", "pg_integrity_th-ings"})
    EXPECT_EQ(name_fault(odd, "Help."), MetricFault::name) << odd;
  EXPECT_EQ(name_fault("pg_integrity_things", ""), MetricFault::help);
}

TEST(MetricName, TellsItsTypeAndUnit) {
  const auto fault = [](std::string_view name, MetricType type) {
    return name_fault(name, "Help.", type);
  };
  EXPECT_EQ(fault("pg_integrity_things_total", MetricType::counter), MetricFault::none);
  EXPECT_EQ(fault("pg_integrity_things_total", MetricType::gauge), MetricFault::total);
  EXPECT_EQ(fault("pg_integrity_things", MetricType::counter), MetricFault::total);
  EXPECT_EQ(fault("pg_integrity_thing_age_seconds", MetricType::age), MetricFault::none);
  EXPECT_EQ(fault("pg_integrity_thing_seconds", MetricType::age), MetricFault::age);
  for (const char* unit : {"pg_integrity_time_ms", "pg_integrity_time_hours",
                           "pg_integrity_size_megabytes", "pg_integrity_load_percent"})
    EXPECT_EQ(fault(unit, MetricType::gauge), MetricFault::unit) << unit;
}

TEST(MetricLabels, MustBeDistinctNamesThatNobodyElseSets) {
  const auto fault = [](std::initializer_list<std::string_view> labels) {
    MetricInfo metric{"pg_integrity_things", "Help.", MetricType::gauge, false, {}};
    for (const std::string_view label : labels) metric.label_names[metric.label_count++] = label;
    return fault_of(metric);
  };
  EXPECT_EQ(fault({}), MetricFault::none);
  EXPECT_EQ(fault({"schema", "table"}), MetricFault::none);
  EXPECT_EQ(fault({"table", "table"}), MetricFault::label_twice);
  for (const char* bad : {"server", "database", "le", "quantile", "Table", "__name__", ""})
    EXPECT_EQ(fault({bad}), MetricFault::label) << bad;
}

TEST(MetricFaults, EachHasAText) {
  for (int fault = 1; fault <= static_cast<int>(MetricFault::sentence_lacks_limit); ++fault)
    EXPECT_FALSE(text_of(static_cast<MetricFault>(fault)).empty()) << fault;
}

constexpr auto kHeld = gauge("pg_integrity_sample_held", "Held.", "schema", "table");
constexpr auto kWhole = gauge("pg_integrity_sample_whole_max", "Most.");
constexpr auto kPart = gauge("pg_integrity_sample_part_max", "Most.", "table");
constexpr auto kOther = gauge("pg_integrity_sample_other_max", "Most.", "constraint");
constexpr auto kEvents = counter("pg_integrity_sample_held_total", "Events.", "table");
constexpr std::string_view kSentence = "Table {schema}.{table} is at {value}, not {limit}.";

TEST(MetricObjective, IsAGaugeWhoseLabelsTheMetricHas) {
  const auto fault = [](const MetricInfo& objective) {
    MetricInfo metric = kHeld;
    metric.expectation = at_most(objective).says(kSentence);
    const MetricFault upper = fault_of(metric);
    metric.expectation = at_least(objective).says(kSentence);
    EXPECT_EQ(fault_of(metric), upper);
    return upper;
  };
  EXPECT_EQ(fault(kWhole), MetricFault::none);
  EXPECT_EQ(fault(kPart), MetricFault::none);
  EXPECT_EQ(fault(kOther), MetricFault::objective_label);
  EXPECT_EQ(fault(kEvents), MetricFault::objective_type);
}

TEST(MetricSentence, IsOneWhosePlaceholdersTheMetricHas) {
  const auto fault = [](std::string_view text) {
    MetricInfo metric = kHeld;
    metric.expectation = must_be(0).says(text);
    return fault_of(metric);
  };
  EXPECT_EQ(fault("It is wrong."), MetricFault::none);
  EXPECT_EQ(fault("{schema}.{table} of {server}/{database} is {value}, not {limit}."),
            MetricFault::none);
  EXPECT_EQ(fault("{value} {row|rows} of {table} {is|are} wrong."), MetricFault::none);
  for (const char* bad : {"", "it is wrong.", "It is wrong", "It is {value}"})
    EXPECT_EQ(fault(bad), MetricFault::sentence) << bad;
  for (const char* bad :
       {"It is {constraint}.", "It is {}.", "It is {value.", "It is value}.", "It is {{value}}.",
        "It is { value }.", "It is {value} and }.", "It is {|rows}.", "It is {row|}.",
        "It is {a|b|c}.", "It is {a|{value}}."})
    EXPECT_EQ(fault(bad), MetricFault::placeholder) << bad;
}

TEST(MetricSentence, OfAnObjectiveNamesValueAndLimit) {
  const auto fault = [](std::string_view text) {
    MetricInfo metric = kHeld;
    metric.expectation = within(kWhole, kPart).says(text);
    return fault_of(metric);
  };
  EXPECT_EQ(fault("It is {value}, not {limit}."), MetricFault::none);
  EXPECT_EQ(fault("It is {value}."), MetricFault::sentence_lacks_limit);
  EXPECT_EQ(fault("It is not {limit}."), MetricFault::sentence_lacks_limit);
}

TEST(Metric, IsWhatWasDeclared) {
  EXPECT_EQ(kLevel.name, "pg_integrity_sample_level");
  EXPECT_EQ(kLevel.help, "Level.");
  EXPECT_EQ(kLevel.type, MetricType::gauge);
  ASSERT_EQ(kHeld.labels().size(), 2U);
  EXPECT_EQ(kHeld.labels()[0], "schema");
  EXPECT_EQ(kHeld.labels()[1], "table");
  EXPECT_TRUE(kWhole.labels().empty());
  EXPECT_EQ(kAge.type, MetricType::age);
  EXPECT_EQ(kCount.type, MetricType::counter);
  EXPECT_EQ(kTime.type, MetricType::histogram);
}

TEST(Metric, OnlyPastEventsOutliveTheirEvidence) {
  EXPECT_FALSE(kSize.past_event);
  EXPECT_FALSE(kBad.past_event);
  EXPECT_TRUE(kPast.past_event);
  EXPECT_TRUE(kAge.past_event) << "an age is always one";
  EXPECT_EQ(kPast.name, "pg_integrity_sample_last_timestamp_seconds") << "nothing else has changed";
}

TEST(Metric, WhatIsLearnedOutlivesItsEvidenceToo) {
  EXPECT_TRUE(kMost.learned);
  EXPECT_TRUE(kMost.past_event);
  EXPECT_FALSE(kPast.learned);
  EXPECT_EQ(kMost.name, "pg_integrity_sample_most") << "nothing else has changed";
}

TEST(Expectation, SaysWhatItIsHeldAgainst) {
  EXPECT_TRUE(kSize.expectation.none());
  EXPECT_FALSE(kBad.expectation.none());
  EXPECT_TRUE(kBad.expectation.constant);
  EXPECT_EQ(kBad.expectation.value, 0);
  EXPECT_EQ(kBad.expectation.says, "{thing} has {value} bad things.");
  EXPECT_TRUE(kSize.expectation.says.empty());
  EXPECT_EQ(kAge.expectation.upper, &kMaxAge);
  EXPECT_EQ(kAge.expectation.lower, nullptr);
  EXPECT_FALSE(kAge.expectation.none());
  EXPECT_EQ(kLevel.expectation.lower, &kLevelMin);
  EXPECT_EQ(kLevel.expectation.upper, &kLevelMax);
  EXPECT_FALSE(kLevel.expectation.constant);
}

constexpr auto kLeast = gauge("pg_integrity_sample_rows_min", "Least.", "thing");
constexpr auto kRows =
    gauge("pg_integrity_sample_rows", "Rows.",
          at_least(kLeast).says("{thing} has {value} rows, it must have {limit}."), "thing");
constexpr auto kOn =
    gauge("pg_integrity_sample_on", "On.", must_be(1).says("{thing} is off."), "thing");
constexpr const MetricInfo* kJudgedMetrics[] = {&kBad,      &kOn,       &kRows, &kLeast, &kLevel,
                                                &kLevelMin, &kLevelMax, &kAge,  &kMaxAge};

/// The verdict on one value of a metric under given objectives.
class ExpectationOf : public ::testing::Test {
 protected:
  template <typename Metric>
  State judge(const Metric& metric, double value) {
    evidence_.declared = declared_.samples();
    evidence_.health.configured_interval = Seconds(600);
    Batch batch(now_);
    if constexpr (std::is_same_v<Metric, std::remove_const_t<decltype(kAge)>>)
      batch.set_age(metric, Seconds(value), "a");
    else
      batch.set(metric, value, "a");
    Object object;
    object.samples = batch.samples();
    object.looked_at = now_;
    object.whole_at = now_;
    return Judge(evidence_, now_, 0).judge({"a"}, object).state;
  }

  static CollectorSpec spec() {
    CollectorSpec made = kSampleSpec;
    made.metrics = kJudgedMetrics;
    return made;
  }

  const Instant now_{Seconds(1000)};
  const CollectorSpec spec_ = spec();
  Batch declared_{now_};
  CollectorEvidence evidence_ = [this] {
    CollectorEvidence made;
    made.spec = &spec_;
    return made;
  }();
};

TEST_F(ExpectationOf, AConstantIsMetByThatValueAlone) {
  EXPECT_EQ(judge(kBad, 0), State::proven);
  EXPECT_EQ(judge(kBad, -0.0), State::proven);
  EXPECT_EQ(judge(kBad, 1), State::violated);
  EXPECT_EQ(judge(kBad, -1), State::violated);
  EXPECT_EQ(judge(kBad, 1e-9), State::violated);
  EXPECT_EQ(judge(kOn, 1), State::proven);
  EXPECT_EQ(judge(kOn, 0), State::violated);
}

TEST_F(ExpectationOf, AtLeastIncludesTheLimit) {
  declared_.set(kLeast, 5, "a");
  EXPECT_EQ(judge(kRows, 5), State::proven);
  EXPECT_EQ(judge(kRows, 6), State::proven);
  EXPECT_EQ(judge(kRows, 4.999), State::violated);
}

TEST_F(ExpectationOf, AtMostIncludesTheLimit) {
  declared_.set(kMaxAge, 60, "a");
  EXPECT_EQ(judge(kAge, 60), State::proven);
  EXPECT_EQ(judge(kAge, 0), State::proven);
  EXPECT_EQ(judge(kAge, 60.001), State::violated);
}

TEST_F(ExpectationOf, WithinIncludesBothLimits) {
  declared_.set(kLevelMin, 5, "a");
  declared_.set(kLevelMax, 10, "a");
  for (const double level : {5.0, 7.0, 10.0})
    EXPECT_EQ(judge(kLevel, level), State::proven) << level;
  for (const double level : {4.9, 10.1}) EXPECT_EQ(judge(kLevel, level), State::violated) << level;
}

TEST_F(ExpectationOf, EitherLimitMayBeUnset) {
  declared_.set(kLevelMin, 5, "a");
  EXPECT_EQ(judge(kLevel, 1e300), State::proven);
  EXPECT_EQ(judge(kLevel, 4), State::violated);
}

TEST_F(ExpectationOf, AnObjectiveOfAnotherObjectDoesNotCount) {
  declared_.set(kLeast, 5, "b");
  EXPECT_EQ(judge(kRows, 1), State::observed);
}

TEST_F(ExpectationOf, NotANumberProvesNothing) {
  EXPECT_EQ(judge(kBad, kNaN), State::violated);
  declared_.set(kLeast, 5, "a");
  declared_.set(kLevelMin, 5, "a");
  declared_.set(kLevelMax, 10, "a");
  EXPECT_EQ(judge(kRows, kNaN), State::violated);
  EXPECT_EQ(judge(kLevel, kNaN), State::violated);
}

TEST_F(ExpectationOf, ALimitThatIsNotANumberProvesNothing) {
  declared_.set(kLeast, kNaN, "a");
  EXPECT_EQ(judge(kRows, 5), State::violated);
}

TEST_F(ExpectationOf, InfinityIsComparedLikeANumber) {
  declared_.set(kLevelMin, 5, "a");
  declared_.set(kLevelMax, 10, "a");
  EXPECT_EQ(judge(kLevel, kInfinity), State::violated);
  EXPECT_EQ(judge(kLevel, -kInfinity), State::violated);
}

}  // namespace
}  // namespace pg_integrity::test::metric_test
