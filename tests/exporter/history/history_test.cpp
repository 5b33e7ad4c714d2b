#include "exporter/history/history.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "exporter/evidence/saved_evidence.h"
#include "exporter/history/history_section.h"
#include "exporter/history/verification.h"
#include "exporter/io/clock.h"
#include "tests/support/captured_log.h"
#include "tests/support/sample_evidence.h"

namespace pg_integrity::test::history_test {
namespace {

ServerOptions accepting(UnixTime until) {
  ServerOptions options;
  options.accept.push_back({"sample/a", "", 5, until, "mended with release 12", "jane"});
  return options;
}

class HistoryOf : public ::testing::Test, public SampleEvidence {
 protected:
  using SampleEvidence::SampleEvidence;

  /// A look of that history after a minute, so that it tells of everything.
  void look(History& history) {
    clock.advance(WatchedStates::kBetweenFullLooks);
    history.look(*evidence->snapshot(), clock);
  }
  /// "sample/a proven violated 0", of every line of that kind.
  static std::vector<std::string> told(const History& history, std::string_view kind = kObject) {
    std::vector<std::string> lines;
    for (const KeptLine& line : history.view().lines) {
      const HistoryEntry& entry = line->entry;
      if (entry.kind == kind)
        lines.push_back(entry.subject + " " + (entry.from.empty() ? "-" : entry.from) + " " +
                        (entry.to.empty() ? "-" : entry.to) +
                        (entry.others == 0 ? "" : " " + std::to_string(entry.others)));
    }
    return lines;
  }
  void set(double bad, const std::string& thing = "a") {
    pass([&](Batch& out) { out.set(kBad, bad, thing); });
  }
  /// The history of the next process.
  std::unique_ptr<History> next(History& history) {
    SavedState state;
    state.saved_at = clock.unix_now();
    state.sections.push_back(history.section());
    auto one = std::make_unique<History>(true);
    one->restore(state);
    return one;
  }

  using Lines = std::vector<std::string>;
};

TEST_F(HistoryOf, AFirstPassThatIsGoodIsNoNews) {
  History history(false);
  look(history);
  add();
  look(history);
  EXPECT_EQ(told(history), Lines{});
  pass([](Batch& out) {
    for (int i = 0; i < 100; ++i) out.set(kBad, 0, "thing " + std::to_string(i));
  });
  look(history);
  look(history);
  EXPECT_EQ(told(history), Lines{});
  EXPECT_EQ(told(history, kAnswer), (Lines{"recoverable - unproven", "intact - proven"}));
}

TEST_F(HistoryOf, TellsWhatBrokeAndWhatWasMendedAndOnWhichEvidence) {
  add();
  set(0);
  History history(false);
  look(history);
  set(3);
  const UnixTime seen = clock.unix_now();
  history.look(*evidence->snapshot(), clock);  // what is violated is told at once
  const HistoryView broken = history.view();
  EXPECT_EQ(told(history), Lines{"sample/a proven violated"});
  for (const KeptLine& line : broken.lines)
    if (line->entry.kind == kObject) {
      EXPECT_EQ(line->entry.text, "a has 3 bad things.");
      EXPECT_NEAR(line->entry.evidence_time.value(), seen, 1);
      EXPECT_EQ(line->entry.database, "d");
    }
  set(0);
  history.look(*evidence->snapshot(), clock);
  EXPECT_EQ(told(history), (Lines{"sample/a proven violated", "sample/a violated proven"}));
  const auto lines = history.view().lines;
  const auto mended = std::find_if(lines.rbegin(), lines.rend(), [](const KeptLine& line) {
    return line->entry.kind == kObject;
  });
  EXPECT_EQ((*mended)->entry.text, "sample_bad 0") << "by what it is proven";
  EXPECT_EQ(told(history, kAnswer), (Lines{"intact - proven", "recoverable - unproven",
                                           "intact proven violated", "intact violated proven"}));
  const auto count = lines.size();
  look(history);
  EXPECT_EQ(history.view().lines.size(), count) << "no change, no line";
}

TEST_F(HistoryOf, WhatIsFirstSeenBrokenWasNotProvenBefore) {
  add();
  History history(false);
  look(history);
  set(3);
  look(history);
  EXPECT_EQ(told(history), Lines{"sample/a - violated"});
}

TEST_F(HistoryOf, WhatStopsManyMakesOneLine) {
  add();
  const auto all = [&](const std::function<void(Batch&, const std::string&)>& each) {
    pass([&](Batch& out) {
      for (int i = 0; i < 100; ++i) each(out, "thing " + std::to_string(100 + i));
    });
  };
  all([](Batch& out, const std::string& thing) { out.set(kBad, 0, thing); });
  History history(false);
  look(history);
  all([](Batch& out, const std::string& thing) {
    out.unproven(kBad, Reason::permission, "denied", thing);
  });
  look(history);
  EXPECT_EQ(told(history), Lines{"sample/thing 100 proven unproven 99"});
  all([](Batch& out, const std::string& thing) { out.set(kBad, 1, thing); });
  look(history);
  Lines lines = told(history);
  ASSERT_EQ(lines.size(), 1 + WatchedStates::kOwnLines + 1);
  EXPECT_EQ(lines.back(), "sample/thing 120 unproven violated 79");
}

TEST_F(HistoryOf, AShortTroubleIsNoNews) {
  add();
  set(0);
  History history(false);
  look(history);
  pass([](Batch& out) { out.unproven(kBad, Reason::permission, "denied", std::string("a")); });
  history.look(*evidence->snapshot(), clock);
  set(0);
  look(history);
  EXPECT_EQ(told(history), Lines{});
}

TEST_F(HistoryOf, EvidenceThatGrowsOldIsNoticedWithoutNews) {
  add();
  set(0);
  History history(false);
  look(history);
  clock.advance(Seconds(3600));
  look(history);
  EXPECT_EQ(told(history), Lines{"sample/a proven unproven"});
}

TEST_F(HistoryOf, SurvivesARestartWithTheStateThatItKnew) {
  add();
  set(3);
  History first(true);
  look(first);
  ASSERT_EQ(told(first), Lines{"sample/a - violated"});
  const auto second = next(first);
  look(*second);
  EXPECT_EQ(told(*second), Lines{"sample/a - violated"}) << "it is still so";
  set(0);
  look(*second);
  EXPECT_EQ(told(*second), (Lines{"sample/a - violated", "sample/a violated proven"}));
}

TEST_F(HistoryOf, WhatWasGoodBeforeARestartWasProven) {
  add();
  set(0);
  History first(true);
  look(first);
  const auto second = next(first);
  // The next process has the evidence on record, and then looks for itself.
  const auto saved = saved_evidence_of(*evidence);
  evidence = std::make_unique<Evidence>(clock, std::vector{server}, &news);
  add();
  restore(*evidence, saved, id, kSampleSpec, 1);
  clock.advance(Seconds(3600));
  look(*second);
  set(3);
  look(*second);
  EXPECT_EQ(told(*second), (Lines{"sample/a proven unproven", "sample/a unproven violated"}));
}

TEST_F(HistoryOf, TellsWhatIsNotWatchedAnyMore) {
  add();
  set(3);
  History history(false);
  look(history);
  pass([](Batch& out) { out.set(kBad, 0, std::string("b")); });
  look(history);
  EXPECT_EQ(told(history), (Lines{"sample/a - violated", "sample/a violated -"}));
  evidence->remove_database("s", "d");
  look(history);
  EXPECT_EQ(told(history).size(), 2U) << "it may come back";
  evidence->add_database("s", "e");
  id.database = "e";
  evidence->add(id, kSampleSpec, server, Seconds(600), 1, Batch(clock.now()));
  set(0, "b");
  clock.advance(WatchedStates::kMissing);
  look(history);
  EXPECT_EQ(told(history).back(), "sample proven -");
}

TEST_F(HistoryOf, ADayWithoutChangesHasALine) {
  add();
  set(0);
  History history(false);
  for (int hour = 0; hour < 72; ++hour) {
    clock.advance(Seconds(3600));
    set(0);
    look(history);
  }
  const std::size_t days = told(history, kDay).size();
  EXPECT_GE(days, 3U);
  EXPECT_LE(days, 5U);
  for (const KeptLine& line : history.view().lines)
    if (line->entry.kind == kDay) {
      EXPECT_EQ(line->entry.text, "1 of 2 answers proven; objects: 1 proven.");
      EXPECT_EQ(line->entry.to, "unproven");
    }
}

TEST_F(HistoryOf, AHashIsShownOnceItsLineCannotBeLost) {
  add();
  History history(true);
  set(3);
  look(history);
  EXPECT_EQ(history.view().number, 0U);
  const std::uint64_t version = history.version();
  static_cast<void>(history.section());
  set(0);
  look(history);
  CapturedLog log;
  history.was_saved();
  const HistoryView view = history.view();
  EXPECT_GT(history.version(), version);
  EXPECT_GT(view.number, 0U);
  EXPECT_LT(view.number, view.lines.back()->number) << "later lines are not saved yet";
  EXPECT_NE(log.written().find(view.hash), std::string::npos) << log.written();
  std::string exported;
  for (const KeptLine& line : view.lines) exported += line->text + "\n";
  EXPECT_EQ(verify_history(exported, view.hash, view.number).fits, Fits::yes);
}

TEST_F(HistoryOf, ALineThatWasChangedInTheStateFileIsLogged) {
  add();
  set(3);
  History first(true);
  look(first);
  set(0);
  look(first);
  SavedState state;
  state.saved_at = clock.unix_now();
  state.sections.push_back(first.section());
  std::string& content = state.sections.front().content;
  content.replace(content.find("3 bad things"), 12, "0 bad things");
  CapturedLog log;
  History second(true);
  second.restore(state);
  EXPECT_NE(log.written().find("does not fit the line before"), std::string::npos) << log.written();
}

class AcceptingHistory : public HistoryOf {
 protected:
  AcceptingHistory() : HistoryOf(accepting(SystemClock().unix_now() + 7200)) {}
};

TEST_F(AcceptingHistory, TellsWhoAcceptedWhatAndWhyAndThatItIsOver) {
  add();
  set(3);
  History history(false);
  look(history);
  EXPECT_EQ(told(history), Lines{"sample/a - accepted"});
  for (const KeptLine& line : history.view().lines)
    if (line->entry.kind == kObject) {
      EXPECT_NE(line->entry.text.find("by jane: mended with release 12"), std::string::npos);
      EXPECT_NE(line->entry.text.find("a has 3 bad things."), std::string::npos);
    }
  clock.advance(Seconds(7200));
  look(history);
  EXPECT_EQ(told(history), (Lines{"sample/a - accepted", "sample/a accepted violated"}));
}

}  // namespace
}  // namespace pg_integrity::test::history_test
