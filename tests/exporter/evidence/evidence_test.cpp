#include "exporter/evidence/evidence.h"

#include <gtest/gtest.h>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"
#include "collectors/recovery/backup_metrics.h"
#include "collectors/registry.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/sample_evidence.h"

namespace pg_integrity::test::evidence_test {
namespace {

class EvidenceOf : public ::testing::Test, public SampleEvidence {
 protected:
  const CollectorEvidence& collector() {
    snapshot = evidence->snapshot();
    return *snapshot->collectors.front();
  }
  bool has(const std::string& thing) { return collector().objects.contains({thing}); }
  std::optional<double> newest(const MetricInfo& metric, const std::string& thing) {
    const auto sample = evidence->newest(id, metric, std::vector<std::string>{thing});
    return sample ? std::optional(sample->value) : std::nullopt;
  }
  std::shared_ptr<const Snapshot> snapshot;
};

TEST_F(EvidenceOf, AStepReplacesTheObjectsItLookedAtAndNoOthers) {
  add();
  pass([](Batch& out) {
    out.set(kBad, 1, std::string("a"));
    out.set(kBad, 2, std::string("b"));
  });
  Batch step(clock.now());
  step.set(kBad, 5, std::string("a"));
  evidence->accept(id, step, true, evidence->era("s"));
  EXPECT_EQ(newest(kBad, "a"), 5);
  EXPECT_EQ(newest(kBad, "b"), 2);
}

TEST_F(EvidenceOf, TheSeriesOfAnObjectShareItsName) {
  const auto look = [](Batch& out) {
    out.set(kBad, 1, std::string("a"));
    out.set(kLevel, 1, std::string("a"));
  };
  const auto expect_one_name = [](const CollectorEvidence& seen) {
    const auto& [key, object] = *seen.objects.begin();
    ASSERT_EQ(object->samples.size(), 2U);
    for (const Sample& sample : object->samples)
      EXPECT_EQ(&sample.labels.texts(), &key.texts()) << sample.metric->name;
  };
  add();
  pass(look);
  expect_one_name(collector());
  const std::shared_ptr<const Snapshot> first = snapshot;
  pass(look);
  expect_one_name(collector());
  EXPECT_EQ(&snapshot->collectors.front()->objects.begin()->first.texts(),
            &first->collectors.front()->objects.begin()->first.texts());

  Evidence next(clock, {server});
  next.add(id, kSampleSpec, server, Seconds(600), 1, Batch(clock.now()));
  restore(next, saved_evidence_of(*evidence), id, kSampleSpec, 1);
  expect_one_name(*next.snapshot()->collectors.front());
}

TEST_F(EvidenceOf, WhatACompletePassDoesNotMeetIsGone) {
  add();
  pass([](Batch& out) {
    out.set(kBad, 1, std::string("a"));
    out.set(kBad, 2, std::string("b"));
  });
  pass([](Batch& out) { out.set(kBad, 1, std::string("a")); });
  EXPECT_TRUE(has("a"));
  EXPECT_FALSE(has("b"));
}

TEST_F(EvidenceOf, ARedObjectIsProvenAgainOnlyByALookAtAllOfIt) {
  add([](Batch& out) { out.set(kLevelMax, 5, std::string("a")); });
  const auto verdict = [&] {
    return judge_collector(*evidence->snapshot()->collectors.at(0), clock.now(), clock.unix_now());
  };
  const auto locked = [](Batch& out) {
    out.set(kBad, 0, std::string("a"));
    out.unproven(kLevel, Reason::lock, "lock timeout", std::string("a"));
  };
  pass([](Batch& out) {
    out.set(kBad, 1, std::string("a"));
    out.set(kLevel, 1, std::string("a"));
  });
  ASSERT_EQ(verdict().state, State::violated);
  EXPECT_TRUE(pass(locked).empty()) << "its level may have changed while it was bad";
  EXPECT_EQ(verdict().state, State::unproven);
  ASSERT_EQ(verdict().unchecked.size(), 1U);
  EXPECT_EQ(verdict().unchecked.front().reason, Reason::lock);

  Evidence next(clock, {server});
  next.add(id, kSampleSpec, server, Seconds(600), 1, Batch(clock.now()));
  restore(next, saved_evidence_of(*evidence), id, kSampleSpec, 1);
  EXPECT_EQ(
      judge_collector(*next.snapshot()->collectors.at(0), clock.now(), clock.unix_now()).state,
      State::unproven)
      << "nor does a restart prove it";

  pass([](Batch& out) {
    out.set(kBad, 0, std::string("a"));
    out.set(kLevel, 1, std::string("a"));
  });
  EXPECT_EQ(verdict().state, State::proven);
  pass(locked);
  EXPECT_EQ(verdict().state, State::proven) << "a lock takes nothing from what was good";
}

TEST_F(EvidenceOf, ARedObjectThatVanishesStaysRedWhereTheCollectorRemembersIt) {
  add([](Batch&) {}, kRememberingSpec);
  pass([](Batch& out) {
    out.set(kBad, 1, std::string("red"));
    out.set(kBad, 0, std::string("green"));
  });
  pass([](Batch& out) { out.set(kBad, 0, std::string("other")); });
  EXPECT_FALSE(has("green"));
  const auto verdict = [&](const Evidence& of) {
    return judge_collector(*of.snapshot()->collectors.at(0), clock.now(), clock.unix_now());
  };
  EXPECT_EQ(verdict(*evidence).state, State::violated);
  EXPECT_EQ(verdict(*evidence).gone, 1U);
  EXPECT_TRUE(evidence->to_recheck(id).empty());
  clock.advance(Seconds(86400));
  pass([](Batch& out) { out.set(kBad, 0, std::string("other")); });
  EXPECT_EQ(verdict(*evidence).state, State::violated) << "time repairs nothing";

  Evidence next(clock, {server});
  next.add(id, kRememberingSpec, server, Seconds(600), 1, Batch(clock.now()));
  restore(next, saved_evidence_of(*evidence), id, kRememberingSpec, 1);
  EXPECT_EQ(verdict(next).gone, 1U) << "nor does a restart";

  pass([](Batch& out) { out.set(kBad, 0, std::string("red")); });
  EXPECT_EQ(verdict(*evidence).state, State::proven) << "it is back, and sound";
  EXPECT_EQ(verdict(*evidence).gone, 0U);
}

TEST_F(EvidenceOf, ASeriesThatAGoodLookDoesNotShowAnyMoreIsGone) {
  add();
  pass([](Batch& out) {
    out.set(kBad, 0, std::string("a"));
    out.set(kSize, 7, std::string("a"));
  });
  pass([](Batch& out) { out.set(kBad, 0, std::string("a")); });
  EXPECT_FALSE(newest(kSize, "a"));
}

TEST_F(EvidenceOf, AFailedAttemptReplacesNothing) {
  add();
  pass([](Batch& out) { out.set(kBad, 1, std::string("a")); });
  fail(Reason::connect);
  EXPECT_EQ(newest(kBad, "a"), 1);
  EXPECT_FALSE(collector().health.success);
}

TEST_F(EvidenceOf, ChangesOfStateAreNewsOnce) {
  add();
  EXPECT_TRUE(pass([](Batch& out) { out.set(kBad, 0, std::string("a")); }).empty());
  const auto broke = pass([](Batch& out) { out.set(kBad, 2, std::string("a")); });
  ASSERT_EQ(broke.size(), 1U);
  EXPECT_TRUE(broke.front().violated);
  EXPECT_EQ(broke.front().object, "sample/a");
  EXPECT_EQ(broke.front().detail, "a has 2 bad things.");
  EXPECT_TRUE(pass([](Batch& out) { out.set(kBad, 3, std::string("a")); }).empty());
  const auto mended = pass([](Batch& out) { out.set(kBad, 0, std::string("a")); });
  ASSERT_EQ(mended.size(), 1U);
  EXPECT_FALSE(mended.front().violated);
}

TEST_F(EvidenceOf, TheSameFailureIsNewsOnce) {
  add();
  EXPECT_TRUE(evidence->failed(id, SourceError(Reason::connect, "down")));
  EXPECT_FALSE(evidence->failed(id, SourceError(Reason::connect, "down")));
  EXPECT_TRUE(evidence->failed(id, SourceError(Reason::auth, "wrong password")));
}

TEST_F(EvidenceOf, EventsAddUpAndStartAtZero) {
  add([](Batch& out) {
    out.count(kCount, 0, std::string("a"));
    out.buckets(kTime, {1, 10}, std::string("a"));
  });
  Batch batch(clock.now());
  batch.count(kCount, 2, std::string("a"));
  batch.observe(kTime, 1, std::string("a"));
  batch.observe(kTime, 5, std::string("a"));
  batch.observe(kTime, 50, std::string("a"));
  evidence->record(id, batch.events());
  evidence->record(id, batch.events());
  const auto counters = evidence->snapshot()->counters.at(id);
  ASSERT_EQ(counters.size(), 2U);
  EXPECT_EQ(counters[0].value, 4);
  EXPECT_EQ(counters[1].per_bucket, (std::vector<std::uint64_t>{2, 2, 2}))
      << "a bound belongs to its bucket";
  EXPECT_EQ(counters[1].sum, 112);
}

TEST_F(EvidenceOf, AnotherClusterOrTimelineStartsAnew) {
  add([](Batch& out) { out.set(kLevelMax, 1, std::string("configured")); });
  pass([](Batch& out) { out.set(kBad, 3, std::string("a")); });
  EXPECT_EQ(answers("1234", 1), Answerer::known) << "the first to answer is the one";
  EXPECT_EQ(answers("1234", 1), Answerer::known);
  EXPECT_TRUE(has("a"));
  EXPECT_EQ(answers("1234", 2), Answerer::another) << "promoted";
  EXPECT_FALSE(has("a"));
  EXPECT_TRUE(has("configured"));
  EXPECT_FALSE(collector().health.success);
  EXPECT_EQ(answers("9999", 2), Answerer::another);
}

TEST_F(EvidenceOf, ACollectorsMemoryOutlivesAnotherClusterAndIsTakenWithItsBatchOnly) {
  add();
  EXPECT_FALSE(evidence->remembered(id));
  const Era era = evidence->era("s");
  pass([](Batch& out) { out.remember("one"); });
  EXPECT_EQ(*evidence->remembered(id), "one");
  pass([](Batch& /*out*/) {});
  EXPECT_EQ(*evidence->remembered(id), "one") << "a batch without a text changes nothing";
  answers("1234", 1);
  EXPECT_EQ(answers("5678", 1), Answerer::another);
  Batch late(clock.now());
  late.remember("of the former cluster");
  EXPECT_FALSE(evidence->accept(id, late, false, era));
  EXPECT_EQ(*evidence->remembered(id), "one");
}

TEST_F(EvidenceOf, ATableIsRedWhileAnObjectAboutItIs) {
  constexpr static auto kRows =
      gauge("pg_integrity_sample_rows", "Rows.", must_be(0).says("{schema}.{table} has {value}."),
            "schema", "table");
  constexpr static const MetricInfo* kRowMetrics[] = {&kRows};
  constexpr static std::string_view kNames[] = {"schema", "table"};
  CollectorSpec spec = kSampleSpec;
  spec.metrics = kRowMetrics;
  spec.identity = kNames;
  add([](Batch&) {}, spec);
  pass([](Batch& out) {
    out.set(kRows, 3, "a", "red");
    out.set(kRows, 0, "a", "green");
  });
  const CollectorId other{"s", "d", "inventory"};
  EXPECT_TRUE(evidence->is_red_table(other, {"a", "red"}));
  EXPECT_FALSE(evidence->is_red_table(other, {"a", "green"}));
  EXPECT_FALSE(evidence->is_red_table(other, {"b", "red"}));
  EXPECT_FALSE(evidence->is_red_table({"s", "other", "inventory"}, {"a", "red"}));
}

TEST_F(EvidenceOf, ASessionFromBeforeAPromotionDoesNotTakeItBack) {
  add();
  const Instant before = clock.now();
  answers("1234", 1);
  clock.advance(Seconds(10));
  answers("1234", 2);
  pass([](Batch& out) { out.set(kBad, 3, std::string("a")); });
  EXPECT_EQ(answers("1234", 1, before), Answerer::outdated);
  EXPECT_TRUE(has("a"));
  EXPECT_EQ(answers("1234", 1), Answerer::another) << "an old copy was put in its place";
}

TEST_F(EvidenceOf, WhatWasSeenOfTheOldClusterIsNotTakenForTheNewOne) {
  add();
  answers("1234", 1);
  const Era old = evidence->era("s");
  evidence->pass_began(id);
  Batch batch(clock.now());
  batch.set(kBad, 0, std::string("a"));
  ASSERT_TRUE(evidence->accept(id, batch, false, old));
  answers("9999", 1);
  EXPECT_FALSE(evidence->accept(id, batch, false, old));
  EXPECT_FALSE(evidence->pass_complete(id, old));
  EXPECT_FALSE(has("a"));
  EXPECT_FALSE(collector().health.success) << "half a pass proves nothing";
  EXPECT_NE(evidence->era("s"), old);
}

TEST_F(EvidenceOf, AFailureIsOverOnceALaterPassHasComeFurther) {
  add();
  const auto health = [&] { return collector().health; };
  evidence->pass_began(id);
  evidence->pass_at(id, 3, 9);
  evidence->failed(id, SourceError(Reason::connect, "the server restarts"));
  EXPECT_FALSE(health().success);
  evidence->pass_began(id);
  evidence->pass_at(id, 3, 9);
  EXPECT_FALSE(health().success) << "it may fail there again";
  evidence->pass_at(id, 4, 9);
  EXPECT_TRUE(health().success);
  EXPECT_FALSE(health().failure);
  EXPECT_FALSE(health().last_success) << "no pass is complete";
  evidence->failed(id, SourceError(Reason::connect, "again"));
  EXPECT_FALSE(health().success);
}

TEST_F(EvidenceOf, GoesOnUnderANewConfiguration) {
  add();
  evidence->set_up("s", "d", true);
  const Instant started = collector().health.started;
  const SavedEvidence saved = saved_evidence_of(*evidence);
  clock.advance(Seconds(60));
  Evidence next(clock, {server});
  const CollectorId added{"s", "d", "added"};
  for (const CollectorId& each : {id, added}) {
    next.add(each, kSampleSpec, server, Seconds(600), 1, Batch(clock.now()));
    restore(next, saved, each, kSampleSpec, 2);
  }
  for (const std::string database : {"d", "e"})
    next.add_database("s", database, saved.was_up("s", database));
  const auto after = next.snapshot();
  EXPECT_GE((after->collectors.at(0)->health.started - started).count(), 60) << "is new";
  EXPECT_EQ(after->collectors.at(1)->health.started, started);
  EXPECT_TRUE(after->databases.at(0).up);
  EXPECT_FALSE(after->databases.at(1).tried);
}

TEST_F(EvidenceOf, ARecordBringsEvidenceBackWithItsTimes) {
  add();
  pass([](Batch& out) {
    out.set(kBad, 3, std::string("bad"));
    out.set(kBad, 0, std::string("good"));
  });
  const SavedEvidence saved = saved_evidence_of(*evidence);
  const Instant taken = collector().objects.at({"bad"})->samples.front().observed_at;
  clock.advance(Seconds(60));

  Evidence later(clock, {server});
  const auto add_to = [&](std::uint64_t fingerprint) {
    later.add(id, kSampleSpec, server, Seconds(600), fingerprint, Batch(clock.now()));
    restore(later, saved, id, kSampleSpec, fingerprint);
    return later.snapshot()->collectors.front()->objects.size();
  };
  EXPECT_EQ(add_to(2), 0U) << "taken under another configuration";
  ASSERT_EQ(add_to(1), 2U);
  const auto restored = later.snapshot()->collectors.front();
  EXPECT_EQ(restored->objects.at({"bad"})->samples.front().observed_at, taken);
  EXPECT_TRUE(restored->health.success);
  EXPECT_FALSE(restored->health.attempted);
}

TEST_F(EvidenceOf, ADatabaseThatIsGoneTakesItsEvidenceAlong) {
  add();
  pass([](Batch& out) { out.set(kBad, 3, std::string("a")); });
  evidence->remove_database("s", "d");
  EXPECT_TRUE(evidence->snapshot()->collectors.empty());
  EXPECT_TRUE(evidence->snapshot()->databases.empty());
  Batch late(clock.now());
  late.set(kBad, 1, std::string("a"));
  EXPECT_TRUE(evidence->accept(id, late, false, evidence->era("s"))->empty())
      << "a step that was under way changes nothing";
  evidence->pass_complete(id, evidence->era("s"));
  EXPECT_TRUE(evidence->snapshot()->collectors.empty());
}

TEST_F(EvidenceOf, TheVersionChangesWithEveryChange) {
  add();
  const auto before = evidence->version();
  pass([](Batch& out) { out.set(kBad, 0, std::string("a")); });
  EXPECT_NE(evidence->version(), before);
  EXPECT_EQ(evidence->snapshot()->version, evidence->version());
}

TEST(ObjectName, IsWhatThePeopleSee) {
  EXPECT_EQ(object_name(kSampleSpec, {"a", "b"}), "sample/a.b");
  EXPECT_EQ(object_name(kSampleSpec, {}), "sample");
}

}  // namespace
}  // namespace pg_integrity::test::evidence_test
