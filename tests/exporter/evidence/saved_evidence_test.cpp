#include "exporter/evidence/saved_evidence.h"

#include <gtest/gtest.h>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "collectors/registry.h"
#include "exporter/config/options.h"
#include "exporter/evidence/evidence.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/sample_evidence.h"

namespace pg_integrity::test::saved_evidence_test {
namespace {

class RecordOf : public ::testing::Test, public SampleEvidence {
 protected:
  RecordOf() { add(); }
  /// The evidence of a later process that was given the saved evidence.
  std::unique_ptr<Evidence> later(const SavedEvidence& saved,
                                  const CollectorSpec& spec = kSampleSpec,
                                  std::uint64_t fingerprint = 1) {
    auto fresh = std::make_unique<Evidence>(clock, std::vector{server});
    fresh->add_database("s", "d");
    fresh->add(id, spec, server, Seconds(600), fingerprint, Batch(clock.now()));
    restore(*fresh, saved, id, spec, fingerprint);
    return fresh;
  }
};

TEST_F(RecordOf, HasWhatWasSeenAndWhatCouldNotBe) {
  pass([](Batch& out) {
    out.set(kBad, 3, std::string("bad"));
    out.unproven(kBad, Reason::permission, "denied", std::string("unseen"));
  });
  const SavedEvidence saved = saved_evidence_of(*evidence);
  const auto& kept = saved.collectors.at(id);
  EXPECT_EQ(kept.fingerprint, 1U);
  EXPECT_EQ(kept.version, kSampleSpec.version);
  EXPECT_TRUE(kept.success);
  EXPECT_TRUE(kept.last_success);
  EXPECT_TRUE(kept.objects.contains({"bad"}));
  EXPECT_TRUE(kept.objects.contains({"unseen"}));
}

TEST_F(RecordOf, WhatCouldNeverBeSeenIsStillUnprovenAndSinceWhen) {
  pass([](Batch& out) {
    out.set(kBad, 0, std::string("good"));
    out.unproven(kBad, Reason::permission, "denied", std::string("unseen"));
  });
  const Instant since =
      evidence->snapshot()->collectors.at(0)->objects.at({"unseen"})->trouble->since;
  clock.advance(Seconds(60));
  const auto fresh = later(saved_evidence_of(*evidence));
  const auto snapshot = fresh->snapshot();
  const auto& objects = snapshot->collectors.at(0)->objects;
  ASSERT_TRUE(objects.contains({"unseen"}));
  const Object& unseen = *objects.at({"unseen"});
  ASSERT_TRUE(unseen.trouble);
  EXPECT_EQ(unseen.trouble->reason, Reason::permission);
  EXPECT_EQ(unseen.trouble->detail, "denied");
  EXPECT_EQ(unseen.trouble->since, since);
  EXPECT_EQ(judge_collector(*snapshot->collectors.at(0), clock.now(), clock.unix_now()).state,
            State::unproven)
      << "a restart is no proof";
}

TEST_F(RecordOf, WhatWasNotLookedAtYetIsLeftToTheConfiguration) {
  add([](Batch& out) { out.set(kLevelMax, 3, std::string("declared")); });
  EXPECT_TRUE(evidence->snapshot()->collectors.at(0)->objects.contains({"declared"}));
  EXPECT_TRUE(saved_evidence_of(*evidence).collectors.at(id).objects.empty());
}

class Learned : public RecordOf {
 protected:
  static constexpr std::uint64_t kSameObjects = 5;
  static constexpr std::uint64_t kOtherObjects = (std::uint64_t{1} << 32U) + 1;

  Learned() {
    pass([](Batch& out) {
      out.set(kBad, 3, std::string("a"));
      out.set(kMost, 7, std::string("a"));
      out.set(kBad, 3, std::string("b"));
    });
  }
};

TEST_F(Learned, OutlivesAChangeOfTheOptionsAndNothingElseDoes) {
  const auto fresh = later(saved_evidence_of(*evidence), kSampleSpec, kSameObjects);
  const std::vector<std::string> a{"a"};
  ASSERT_TRUE(fresh->newest(id, kMost, a));
  EXPECT_EQ(fresh->newest(id, kMost, a)->value, 7);
  EXPECT_EQ(fresh->newest(id, kMost, a)->observed_at, evidence->newest(id, kMost, a)->observed_at);
  EXPECT_FALSE(fresh->newest(id, kBad, a));
  const auto snapshot = fresh->snapshot();
  const CollectorEvidence& now = *snapshot->collectors.at(0);
  EXPECT_EQ(now.objects.size(), 1U) << "nothing was learned of b";
  EXPECT_FALSE(now.health.success);
  EXPECT_FALSE(now.health.last_success);
  const CollectorVerdict verdict = judge_collector(now, clock.now(), clock.unix_now());
  ASSERT_EQ(verdict.unchecked.size(), 1U);
  EXPECT_EQ(verdict.unchecked[0].reason, Reason::pending)
      << "it was not looked at under these options";
}

TEST_F(Learned, OutlivesASecondChangeBeforeAnybodyLooked) {
  const auto fresh = later(saved_evidence_of(*evidence), kSampleSpec, kSameObjects);
  const auto again = later(saved_evidence_of(*fresh), kSampleSpec, kSameObjects + 1);
  EXPECT_TRUE(again->newest(id, kMost, std::vector<std::string>{"a"}));
}

TEST_F(Learned, DoesNotOutliveAnotherChoiceOfObjectsNorAnotherVersion) {
  const SavedEvidence saved = saved_evidence_of(*evidence);
  const std::vector<std::string> a{"a"};
  EXPECT_FALSE(later(saved, kSampleSpec, kOtherObjects)->newest(id, kMost, a));
  CollectorSpec newer = kSampleSpec;
  newer.version = kSampleSpec.version + 1;
  EXPECT_FALSE(later(saved, newer, 1)->newest(id, kMost, a));
}

TEST_F(Learned, AMemoryOutlivesAnyOtherConfigurationAndVersion) {
  pass([](Batch& out) { out.remember("names"); });
  const SavedEvidence saved = saved_evidence_of(*evidence);
  CollectorSpec newer = kSampleSpec;
  newer.version = kSampleSpec.version + 1;
  for (const auto& next : {later(saved, kSampleSpec, kOtherObjects), later(saved, newer, 1)}) {
    ASSERT_TRUE(next->remembered(id));
    EXPECT_EQ(*next->remembered(id), "names");
  }
}

TEST_F(RecordOf, IsTakenUpByTheSameCollectorUnderTheSameConfigurationOnly) {
  pass([](Batch& out) { out.set(kBad, 3, std::string("bad")); });
  const SavedEvidence saved = saved_evidence_of(*evidence);
  CollectorSpec newer = kSampleSpec;
  newer.version = kSampleSpec.version + 1;
  EXPECT_EQ(later(saved)->to_recheck(id).size(), 1U);
  EXPECT_TRUE(later(saved, newer)->to_recheck(id).empty());
  EXPECT_TRUE(later(saved, kSampleSpec, 2)->to_recheck(id).empty());
  EXPECT_TRUE(later(SavedEvidence{})->to_recheck(id).empty());
}

TEST_F(RecordOf, ADifferentClusterIsNoticedAcrossARestart) {
  pass([](Batch& out) { out.set(kBad, 3, std::string("bad")); });
  ServerInfo found;
  found.system_identifier = "1234";
  evidence->identify("s", found);
  const auto fresh = later(saved_evidence_of(*evidence));
  EXPECT_EQ(fresh->identify("s", found), Answerer::known);
  EXPECT_EQ(fresh->to_recheck(id).size(), 1U);
  found.system_identifier = "9999";
  EXPECT_EQ(fresh->identify("s", found), Answerer::another);
  EXPECT_TRUE(fresh->to_recheck(id).empty());
}

TEST_F(RecordOf, CountersGoOnWithinAProcess) {
  Batch batch(clock.now());
  batch.count(kCount, 3, std::string("a"));
  evidence->record(id, batch.events());
  const auto fresh = later(saved_evidence_of(*evidence));
  fresh->record(id, batch.events());
  EXPECT_EQ(fresh->snapshot()->counters.at(id).at(0).value, 6);
}

TEST_F(RecordOf, WhatThisProcessHasSeenIsNotOverwritten) {
  pass([](Batch& out) { out.set(kBad, 3, std::string("a")); });
  const SavedEvidence saved = saved_evidence_of(*evidence);
  pass([](Batch& out) { out.set(kBad, 0, std::string("a")); });
  restore(*evidence, saved, id, kSampleSpec, 1);
  EXPECT_TRUE(evidence->to_recheck(id).empty());
}

TEST(Fingerprint, ChangesWithWhatTheEvidenceDependsOn) {
  ServerOptions server;
  CollectorOptions collector{&kSampleSpec, Seconds(600), Seconds(10), {}, {}};
  const std::uint64_t before = fingerprint_of(server, collector);
  EXPECT_EQ(fingerprint_of(server, collector), before);

  CollectorOptions other = collector;
  other.depends_on = "{|limit=3;}";
  EXPECT_NE(fingerprint_of(server, other), before);
  EXPECT_EQ(fingerprint_of(server, other) >> 32U, before >> 32U) << "the objects are the same";

  ServerOptions elsewhere = server;
  elsewhere.home_database = "other";
  EXPECT_EQ(fingerprint_of(elsewhere, collector), before) << "it is of one database anyway";
  CollectorSpec whole = kSampleSpec;
  whole.scope = Scope::server;
  other = collector;
  other.spec = &whole;
  EXPECT_NE(fingerprint_of(elsewhere, other), fingerprint_of(server, other));

  CollectorSpec newer = kSampleSpec;
  newer.version = 2;
  other = collector;
  other.spec = &newer;
  EXPECT_NE(fingerprint_of(server, other) >> 32U, before >> 32U);

  ServerOptions excluding = server;
  excluding.exclude = {"a.b", "c.d"};
  ServerOptions alike = server;
  alike.exclude = {"a.bc.d"};
  EXPECT_NE(fingerprint_of(excluding, collector) >> 32U, before >> 32U);
  EXPECT_NE(fingerprint_of(excluding, collector), fingerprint_of(alike, collector));
}

}  // namespace
}  // namespace pg_integrity::test::saved_evidence_test
