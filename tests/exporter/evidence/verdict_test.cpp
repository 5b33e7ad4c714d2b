#include "exporter/evidence/verdict.h"

#include <gtest/gtest.h>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/collector.h"
#include "collectors/recovery/backup_metrics.h"
#include "collectors/registry.h"
#include "exporter/config/options.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/io/clock.h"
#include "tests/support/sample_evidence.h"

namespace pg_integrity::test::verdict_test {
namespace {

class Verdict : public ::testing::Test, public SampleEvidence {
 protected:
  Judgement judge(const std::string& thing) {
    const auto snapshot = evidence->snapshot();
    const CollectorEvidence& collector = *snapshot->collectors.front();
    const auto found = collector.objects.find(ObjectKey{thing});
    EXPECT_NE(found, collector.objects.end()) << thing;
    Judgement judgement =
        Judge(collector, clock.now(), clock.unix_now()).judge({thing}, *found->second);
    judgement.broken.clear();  // they point into the snapshot
    return judgement;
  }
  State state(const std::string& thing) { return judge(thing).state; }
  Reason reason(const std::string& thing) { return judge(thing).reason; }

  State question(Question which) {
    for (const QuestionVerdict& answer :
         judge_all(*evidence->snapshot(), clock.now(), clock.unix_now()).questions)
      if (answer.question == which) return answer.state;
    throw std::runtime_error("no such question");
  }
};

TEST_F(Verdict, WhatIsAsItShouldBeIsProvenAndElseViolated) {
  add();
  pass([](Batch& out) {
    out.set(kBad, 0, std::string("good"));
    out.set(kBad, 3, std::string("bad"));
    out.set(kSize, 3, std::string("unjudged"));
  });
  EXPECT_EQ(state("good"), State::proven);
  EXPECT_EQ(state("bad"), State::violated);
  EXPECT_EQ(state("unjudged"), State::observed);
}

TEST_F(Verdict, LimitsHoldOnlyWhereTheyAreConfigured) {
  add([](Batch& out) {
    out.set(kLevelMax, 10, std::string("both"));
    out.set(kLevelMin, 5, std::string("both"));
    out.set(kLevelMin, 5, std::string("lower"));
  });
  const auto levels = [&](double level) {
    pass([&](Batch& out) {
      for (const char* thing : {"both", "lower", "none"})
        out.set(kLevel, level, std::string(thing));
    });
  };
  levels(7);
  EXPECT_EQ(state("both"), State::proven);
  EXPECT_EQ(state("lower"), State::proven);
  EXPECT_EQ(state("none"), State::observed);
  levels(11);
  EXPECT_EQ(state("both"), State::violated);
  EXPECT_EQ(state("lower"), State::proven);
  levels(4);
  EXPECT_EQ(state("both"), State::violated);
  EXPECT_EQ(state("lower"), State::violated);
  levels(10);
  EXPECT_EQ(state("both"), State::proven) << "the limit itself is good";
}

TEST_F(Verdict, AnObjectiveMayBePartOfTheEvidenceItself) {
  add();
  pass([](Batch& out) {
    out.set(kLevelMin, 8, std::string("learned"));
    out.set(kLevel, 7, std::string("learned"));
  });
  EXPECT_EQ(state("learned"), State::violated);
}

TEST_F(Verdict, ProvenDecaysAfterThreeIntervals) {
  add();
  pass([](Batch& out) { out.set(kBad, 0, std::string("good")); });
  clock.advance(Seconds(1799));
  EXPECT_EQ(state("good"), State::proven);
  clock.advance(Seconds(2));
  EXPECT_EQ(state("good"), State::unproven);
  EXPECT_EQ(reason("good"), Reason::stale);
}

TEST_F(Verdict, AnObjectThatNeverCouldBeCheckedIsALimit) {
  add();
  const auto unread = [&](Reason reason) {
    pass([&](Batch& out) {
      out.set(kBad, 0, std::string("good"));
      out.unproven(kBad, reason, "it would run code", std::string("unread"));
    });
  };
  for (const Reason limit : {Reason::unsafe, Reason::policy, Reason::too_large}) {
    unread(limit);
    EXPECT_EQ(state("unread"), State::limited);
    EXPECT_EQ(reason("unread"), limit);
    EXPECT_EQ(question(Question::intact), State::proven) << "the rest is";
  }
  unread(Reason::permission);
  EXPECT_EQ(state("unread"), State::unproven) << "somebody can grant it";
  EXPECT_EQ(question(Question::intact), State::unproven);
}

TEST_F(Verdict, NothingButLimitsIsUnproven) {
  add();
  pass([](Batch& out) {
    out.unproven(kBad, Reason::unsafe, "it would run code", std::string("unread"));
    out.set(kSize, 3, std::string("unjudged"));
  });
  EXPECT_EQ(question(Question::intact), State::unproven);
  const Verdicts verdicts = judge_all(*evidence->snapshot(), clock.now(), clock.unix_now());
  EXPECT_EQ(verdicts.questions.front().limits, 1U);
  EXPECT_FALSE(verdicts.questions.front().configured);
}

TEST_F(Verdict, AnObjectThatWasJudgedBecomesNoLimitInSilence) {
  add();
  pass([](Batch& out) {
    out.set(kBad, 0, std::string("good"));
    out.set(kBad, 3, std::string("bad"));
    out.set(kSize, 3, std::string("unjudged"));
  });
  pass([](Batch& out) {
    for (const char* thing : {"good", "bad", "unjudged"})
      out.unproven(kBad, Reason::unsafe, "it would run code", std::string(thing));
  });
  EXPECT_EQ(state("good"), State::unproven);
  EXPECT_EQ(state("bad"), State::violated);
  EXPECT_EQ(state("unjudged"), State::limited) << "it was only observed";
}

TEST_F(Verdict, LearnedThingsThatAreGoneAreUnprovenUntilTheyAreAccepted) {
  ServerOptions options;
  options.accept.push_back({"sample/thing", "", 2, SystemClock().unix_now() + 3600, "moved", ""});
  SampleEvidence accepting(options);
  accepting.add();
  const auto lose = [&](double number, const std::string& thing) {
    accepting.pass([&](Batch& out) {
      out.set(kBad, number, thing);
      if (number == 0) return;
      out.unproven(kBad, Reason::gone, "tables are gone", thing);
      out.evidence(kBad, "table a is gone", thing);
    });
    const auto snapshot = accepting.evidence->snapshot();
    const CollectorEvidence& collector = *snapshot->collectors.front();
    const Object& object = *collector.objects.at({thing});
    EXPECT_EQ(object.lines.size(), number == 0 ? 0U : 1U);
    Judgement judgement =
        Judge(collector, accepting.clock.now(), accepting.clock.unix_now()).judge({thing}, object);
    return judgement.state == State::unproven ? std::string(name_of(judgement.reason))
                                              : std::string(name_of(judgement.state));
  };
  EXPECT_EQ(lose(2, "other"), "gone");
  EXPECT_EQ(lose(2, "thing"), "accepted");
  EXPECT_EQ(lose(3, "thing"), "gone") << "more than accepted";
  EXPECT_EQ(lose(0, "thing"), "proven");
}

TEST_F(Verdict, WhatIsGoneTakesNothingFromALimitThatIsBroken) {
  add([](Batch& out) { out.set(kLevelMin, 5, std::string("tables")); });
  pass([](Batch& out) {
    out.set(kLevel, 4, std::string("tables"));
    out.set(kBad, 1, std::string("tables"));
    out.unproven(kBad, Reason::gone, "a table is gone", std::string("tables"));
  });
  EXPECT_EQ(state("tables"), State::violated);
}

TEST_F(Verdict, AnObjectOfTheConfigurationIsNoLimit) {
  add();
  pass([](Batch& out) {
    out.weight(kBad, true, 1, std::string("asked for"));
    out.unproven(kBad, Reason::unsafe, "it would run code", std::string("asked for"));
  });
  EXPECT_EQ(state("asked for"), State::unproven);
}

TEST_F(Verdict, ALockTakesNothingFromAnObjectThatIsOnlyObserved) {
  add();
  pass([](Batch& out) { out.set(kSize, 3, std::string("unjudged")); });
  pass([](Batch& out) { out.unproven(kSize, Reason::lock, "locked", std::string("unjudged")); });
  EXPECT_EQ(state("unjudged"), State::observed);
  for (const Reason reason : {Reason::server, Reason::timeout, Reason::missing}) {
    pass([&](Batch& out) { out.unproven(kSize, reason, "no", std::string("unjudged")); });
    EXPECT_EQ(state("unjudged"), State::unproven) << name_of(reason);
  }
}

TEST_F(Verdict, ViolatedStaysThroughOutagesUntilDisproved) {
  add();
  pass([](Batch& out) { out.set(kBad, 3, std::string("bad")); });
  clock.advance(Seconds(86400));
  fail(Reason::connect);
  EXPECT_EQ(state("bad"), State::violated);
  pass([](Batch& out) { out.unproven(kBad, Reason::permission, "denied", std::string("bad")); });
  EXPECT_EQ(state("bad"), State::violated) << "not being allowed to look disproves nothing";
  pass([](Batch& out) { out.set(kBad, 0, std::string("bad")); });
  EXPECT_EQ(state("bad"), State::proven);
}

TEST_F(Verdict, AnAgeBecomesAViolationByItself) {
  add([](Batch& out) { out.set(kMaxAge, 3600, std::string("backup")); });
  pass([](Batch& out) { out.set_age(kAge, Seconds(3000), std::string("backup")); });
  EXPECT_EQ(state("backup"), State::proven);
  clock.advance(Seconds(601));
  EXPECT_EQ(state("backup"), State::violated);
}

TEST_F(Verdict, ASteppedWallClockChangesNoAge) {
  add([](Batch& out) { out.set(kMaxAge, 3600, std::string("backup")); });
  pass([](Batch& out) { out.set_age(kAge, Seconds(3000), std::string("backup")); });
  clock.step_wall(Seconds(86400));
  EXPECT_EQ(state("backup"), State::proven);
  clock.step_wall(Seconds(-10 * 86400));
  EXPECT_EQ(state("backup"), State::proven);
}

TEST_F(Verdict, APassingTroubleLeavesRecentEvidenceAndALastingOneDoesNot) {
  add();
  const auto proven = [](Batch& out) { out.set(kBad, 0, std::string("thing")); };
  pass(proven);
  pass([](Batch& out) { out.unproven(kBad, Reason::lock, "locked", std::string("thing")); });
  EXPECT_EQ(state("thing"), State::proven) << "it was proven a moment ago";
  clock.advance(Seconds(1801));
  EXPECT_EQ(state("thing"), State::unproven);
  EXPECT_EQ(reason("thing"), Reason::lock);
  pass(proven);
  pass([](Batch& out) { out.unproven(kBad, Reason::permission, "denied", std::string("thing")); });
  EXPECT_EQ(state("thing"), State::unproven);
  EXPECT_EQ(reason("thing"), Reason::permission);
}

TEST_F(Verdict, HalfALookProvesNothing) {
  add([](Batch& out) { out.set(kLevelMax, 10, std::string("thing")); });
  pass([](Batch& out) {
    out.set(kLevel, 5, std::string("thing"));
    out.unproven(kBad, Reason::lock, "locked", std::string("thing"));
  });
  EXPECT_EQ(state("thing"), State::unproven);
  EXPECT_EQ(reason("thing"), Reason::lock);
}

TEST_F(Verdict, HalfALookCanViolate) {
  add([](Batch& out) { out.set(kLevelMax, 10, std::string("thing")); });
  pass([](Batch& out) {
    out.set(kLevel, 11, std::string("thing"));
    out.unproven(kBad, Reason::timeout, "slow", std::string("thing"));
  });
  EXPECT_EQ(state("thing"), State::violated);
}

TEST_F(Verdict, WhatIsConfiguredIsPendingThenMissing) {
  add([](Batch& out) { out.set(kLevelMax, 10, std::string("configured")); });
  EXPECT_EQ(reason("configured"), Reason::pending);
  pass([](Batch& out) { out.set(kBad, 0, std::string("other")); });
  EXPECT_EQ(reason("configured"), Reason::missing);
}

TEST_F(Verdict, ALimitWithNothingToHoldAgainstItIsUnproven) {
  add([](Batch& out) { out.set(kLevelMax, 10, std::string("thing")); });
  pass([](Batch& out) { out.set(kSize, 1, std::string("thing")); });
  EXPECT_EQ(state("thing"), State::unproven);
  EXPECT_EQ(reason("thing"), Reason::missing);
}

TEST_F(Verdict, AcceptedDamageCountsAgainWhenItGrowsOrItsDayComes) {
  ServerOptions options;
  SystemClock wall;
  options.accept.push_back(
      {"sample/thing", "", 5, wall.unix_now() + 3600, "known since spring", ""});
  SampleEvidence accepting(options);
  accepting.add();
  const auto state_with = [&](double bad) {
    accepting.pass([&](Batch& out) { out.set(kBad, bad, std::string("thing")); });
    const auto snapshot = accepting.evidence->snapshot();
    const CollectorEvidence& collector = *snapshot->collectors.front();
    return Judge(collector, accepting.clock.now(), accepting.clock.unix_now())
        .judge({"thing"}, *collector.objects.at({"thing"}))
        .state;
  };
  EXPECT_EQ(state_with(5), State::accepted);
  EXPECT_EQ(state_with(6), State::violated);
  EXPECT_EQ(state_with(0), State::proven);
  accepting.clock.advance(Seconds(3601));
  EXPECT_EQ(state_with(5), State::violated);
}

TEST_F(Verdict, TheWorstObjectDecidesTheQuestion) {
  add();
  EXPECT_EQ(question(Question::intact), State::unproven) << "nothing was looked at yet";
  pass([](Batch& out) { out.set(kBad, 0, std::string("a")); });
  EXPECT_EQ(question(Question::intact), State::proven);
  pass([](Batch& out) {
    out.set(kBad, 0, std::string("a"));
    out.unproven(kBad, Reason::permission, "denied", std::string("b"));
  });
  EXPECT_EQ(question(Question::intact), State::unproven);
  pass([](Batch& out) {
    out.set(kBad, 1, std::string("a"));
    out.unproven(kBad, Reason::permission, "denied", std::string("b"));
  });
  EXPECT_EQ(question(Question::intact), State::violated);
}

TEST_F(Verdict, AFailedAttemptProvesNothing) {
  add();
  pass([](Batch& out) { out.set(kBad, 0, std::string("a")); });
  fail(Reason::connect);
  EXPECT_EQ(question(Question::intact), State::unproven);
}

TEST_F(Verdict, NothingConfiguredIsUnprovenAndNothingJudgedToo) {
  add();
  EXPECT_EQ(question(Question::recoverable), State::unproven);
  pass([](Batch& out) { out.set(kSize, 1, std::string("only observed")); });
  EXPECT_EQ(question(Question::intact), State::unproven);
}

TEST_F(Verdict, AnIntervalThatCannotBeKeptStretchesTheWindow) {
  add();
  evidence->pass_began(id);
  clock.advance(Seconds(5000));
  Batch batch(clock.now());
  batch.set(kBad, 0, std::string("thing"));
  evidence->accept(id, batch, false, evidence->era("s"));
  evidence->pass_complete(id, evidence->era("s"));
  clock.advance(Seconds(14900));
  EXPECT_EQ(state("thing"), State::proven)
      << "a pass takes 5,000 s: three of them have not gone by";
  clock.advance(Seconds(200));
  EXPECT_EQ(state("thing"), State::unproven);
}

TEST_F(Verdict, AWaitForOthersStretchesTheWindowToo) {
  add();
  const auto pass_that_waited = [&] {
    evidence->pass_began(id, Seconds(5000));
    Batch batch(clock.now());
    batch.set(kBad, 0, std::string("thing"));
    evidence->accept(id, batch, false, evidence->era("s"));
    evidence->pass_complete(id, evidence->era("s"));
  };
  pass_that_waited();
  clock.advance(Seconds(14900));
  EXPECT_EQ(state("thing"), State::proven) << "it is looked at every 5,000 s and more";
  clock.advance(Seconds(200));
  EXPECT_EQ(state("thing"), State::unproven);
  pass([](Batch& out) { out.set(kBad, 0, std::string("thing")); });
  clock.advance(Seconds(1900));
  EXPECT_EQ(state("thing"), State::unproven) << "the newest pass did not wait";
}

TEST_F(Verdict, APassThatMakesNoHeadwayDoesNotKeepItsEvidenceFresh) {
  add();
  pass([](Batch& out) { out.set(kBad, 0, std::string("thing")); });
  evidence->pass_began(id);
  clock.advance(Seconds(1700));
  EXPECT_EQ(state("thing"), State::proven);
  clock.advance(Seconds(200));
  EXPECT_EQ(state("thing"), State::unproven) << "three intervals, whatever the pass waits for";
}

TEST(ReadableValue, SpeaksTheUnitOfTheMetric) {
  constexpr auto age = gauge("pg_integrity_x_age_seconds", "x");
  constexpr auto time = gauge("pg_integrity_x_timestamp_seconds", "x");
  constexpr auto plain = gauge("pg_integrity_x", "x");
  EXPECT_EQ(readable_value(age, 649941.7), "649941 (7d12h32m21s)");
  EXPECT_EQ(readable_value(age, 0.25), "0.25");
  EXPECT_EQ(readable_value(time, 1764720000), "2025-12-03T00:00:00Z");
  EXPECT_EQ(readable_value(plain, 3), "3");
  EXPECT_EQ(readable_value(plain, 1e9), "1000000000");
}

}  // namespace
}  // namespace pg_integrity::test::verdict_test
