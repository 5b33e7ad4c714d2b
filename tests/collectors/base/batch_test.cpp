#include "collectors/base/batch.h"

#include <gtest/gtest.h>

#include <array>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/collector.h"
#include "collectors/recovery/backup_metrics.h"
#include "tests/support/observer.h"
#include "tests/support/sample_evidence.h"

namespace pg_integrity::test::batch_test {
namespace {

constexpr auto kPair = gauge("pg_integrity_sample_pair", "Two labels.", "thing", "part");
constexpr auto kBare = gauge("pg_integrity_sample_bare", "No label.");

Instant at(double seconds) {
  return Instant(Seconds(seconds));
}

const std::array<std::string, 1> kA{"a"};

TEST(Batch, ObservationsCarryTheirMoment) {
  Batch batch(at(100));
  batch.set(kSize, 1, "now");
  batch.observed_at(at(40));
  batch.set(kSize, 2, "earlier");
  batch.set_age(kAge, Seconds(15), "aged");
  batch.observed_now();
  batch.set(kSize, 3, "again");
  ASSERT_EQ(batch.samples().size(), 4U);
  EXPECT_EQ(batch.samples()[0].observed_at, at(100));
  EXPECT_EQ(batch.samples()[1].observed_at, at(40));
  EXPECT_EQ(batch.samples()[2].observed_at, at(40));
  EXPECT_EQ(batch.samples()[2].since, at(25)) << "an age counts from the moment it was measured at";
  EXPECT_EQ(batch.samples()[3].observed_at, at(100));
}

TEST(Batch, LabelsStandInTheOrderOfTheMetricOneForEach) {
  Batch batch(at(0));
  batch.set(kPair, 1, "x", std::string("y"));
  batch.set(kBare, 1);
  batch.unproven(kPair, Reason::lock, "locked", "x", "z");
  EXPECT_EQ(batch.samples()[0].labels, (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(batch.samples()[1].labels.empty());
  EXPECT_EQ(batch.unproven_marks()[0].labels, (std::vector<std::string>{"x", "z"}));
  for (const Sample& sample : batch.samples())
    EXPECT_EQ(sample.labels.size(), sample.metric->label_count);
}

TEST(Batch, LabelsMayBeOneArray) {
  const std::array<std::string, 2> labels{"x", "y"};
  Batch batch(at(0));
  batch.set(kPair, 1, labels);
  batch.unproven(kPair, Reason::lock, "locked", labels);
  batch.evidence(kPair, "line", labels);
  batch.weight(kPair, true, 5, labels);
  const std::vector<std::string> expected{"x", "y"};
  EXPECT_EQ(batch.samples()[0].labels, expected);
  EXPECT_EQ(batch.unproven_marks()[0].labels, expected);
  EXPECT_EQ(batch.evidence_lines()[0].labels, expected);
  EXPECT_EQ(batch.weights()[0].labels, expected);
}

TEST(Batch, EventsStandApartFromObservations) {
  Batch batch(at(0));
  batch.set(kSize, 1, "a");
  batch.count(kCount, 2, "a");
  batch.buckets(kTime, {0.1, 1}, "a");
  batch.observe(kTime, 0.5, "a");
  EXPECT_EQ(batch.samples().size(), 1U);
  ASSERT_EQ(batch.events().size(), 3U);
  EXPECT_EQ(batch.events()[0].kind, Event::Kind::count);
  EXPECT_EQ(batch.events()[0].value, 2);
  EXPECT_EQ(batch.events()[1].upper_bounds, (std::vector<double>{0.1, 1}));
  EXPECT_EQ(batch.events()[2].kind, Event::Kind::observation);
  EXPECT_EQ(batch.events()[2].value, 0.5);
}

TEST(Batch, AFailedAttemptIsUnprovenAndHarmsNobodyElse) {
  Batch batch(at(100));
  batch.set(kSize, 1, "before");
  batch.evidence(kSize, "of before", "before");
  batch.attempt(kBad, kA, [&] {
    batch.observed_at(at(50));
    batch.set(kBad, 0, "a");
    batch.evidence(kBad, "half a look", "a");
    batch.count(kCount, 1, "a");
    throw SourceError(Reason::permission, "not for you");
  });
  batch.set(kSize, 2, "after");
  ASSERT_EQ(batch.samples().size(), 2U) << "what the attempt had seen is dropped";
  EXPECT_EQ(batch.samples()[0].labels.front(), "before");
  EXPECT_EQ(batch.samples()[1].labels.front(), "after");
  EXPECT_EQ(batch.samples()[1].observed_at, at(100));
  ASSERT_EQ(batch.evidence_lines().size(), 1U);
  EXPECT_EQ(batch.evidence_lines()[0].text, "of before");
  ASSERT_EQ(batch.unproven_marks().size(), 1U);
  const UnprovenMark& mark = batch.unproven_marks()[0];
  EXPECT_EQ(mark.metric->name, kBad.name);
  EXPECT_EQ(mark.labels, (std::vector<std::string>{"a"}));
  EXPECT_EQ(mark.reason, Reason::permission);
  EXPECT_EQ(mark.detail, "not for you");
  EXPECT_EQ(mark.observed_at, at(100));
  EXPECT_EQ(batch.events().size(), 1U) << "what happened has happened";
}

TEST(Batch, AnAttemptThatSucceedsMarksNothing) {
  Batch batch(at(100));
  batch.attempt(kBad, kA, [&] {
    batch.observed_at(at(50));
    batch.set(kBad, 0, "a");
  });
  batch.set(kSize, 1, "b");
  EXPECT_TRUE(batch.unproven_marks().empty());
  EXPECT_EQ(batch.samples()[0].observed_at, at(50));
  EXPECT_EQ(batch.samples()[1].observed_at, at(100)) << "what is shared stays within its attempt";
}

TEST(Batch, ALostSessionEndsTheStep) {
  Batch batch(at(0));
  const auto lose = [] { throw SourceError(Reason::connect, "gone", SourceError::Scope::session); };
  EXPECT_THROW(batch.attempt(kBad, kA, lose), SourceError);
  EXPECT_TRUE(batch.unproven_marks().empty()) << "the object did nothing wrong";
}

TEST(Batch, AFaultOfTheProgramIsNotAnObjectsTrouble) {
  Batch batch(at(0));
  EXPECT_THROW(batch.attempt(kBad, kA, [] { throw std::logic_error("a bug"); }), std::logic_error);
  EXPECT_TRUE(batch.unproven_marks().empty());
}

class BatchOnItsWay : public ::testing::Test, public SampleEvidence {
 protected:
  PageText page() { return PageText(page_text(evidence->snapshot(), clock)); }
};

TEST_F(BatchOnItsWay, ASeriesThatIsObservedTwiceIsOnThePageOnce) {
  add();
  pass([](Batch& out) {
    out.set(kSize, 1, "a");
    out.set(kSize, 2, "a");
    out.set(kSize, 3, "b");
    EXPECT_EQ(out.samples().size(), 3U);
  });
  EXPECT_EQ(page().all("pg_integrity_sample_size").size(), 2U);
  EXPECT_EQ(page().value("pg_integrity_sample_size", {{"thing", "a"}}), 1);
  EXPECT_EQ(page().value("pg_integrity_sample_size", {{"thing", "b"}}), 3);
}

TEST_F(BatchOnItsWay, OfTwoObservationsTheBadOneDecides) {
  add();
  pass([](Batch& out) {
    out.set(kBad, 0, "a");
    out.set(kBad, 2, "a");
  });
  EXPECT_EQ(page().value("pg_integrity_objects", {{"state", "violated"}}), 1);
}

TEST_F(BatchOnItsWay, BytesThatAreNoUtf8AreKeptApart) {
  add();
  pass([](Batch& out) {
    out.set(kSize, 1, "\xff");
    out.set(kSize, 2, "\xfe");
    out.set(kSize, 3, "\xc3\xa9\n\"\\");
    EXPECT_EQ(out.samples()[0].labels.front(), "\xff") << "a batch changes nothing";
  });
  EXPECT_EQ(page().value("pg_integrity_sample_size", {{"thing", "\\xff"}}), 1);
  EXPECT_EQ(page().value("pg_integrity_sample_size", {{"thing", "\\xfe"}}), 2);
  EXPECT_EQ(page().value("pg_integrity_sample_size", {{"thing", "\xc3\xa9\n\"\\"}}), 3);
}

}  // namespace
}  // namespace pg_integrity::test::batch_test
