#include "exporter/scheduler/collector_task.h"

#include <gtest/gtest.h>

#include <new>
#include <thread>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/collector.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/registry.h"
#include "collectors/walk.h"
#include "exporter/config/options.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/watchdog.h"
#include "exporter/postgres/pqxx_session.h"
#include "exporter/postgres/session_pool.h"
#include "exporter/scheduler/server_context.h"
#include "tests/support/sample_evidence.h"

namespace pg_integrity::test::collector_task_test {
namespace {

using Look = std::function<Progress(Sources&, Batch&)>;

/// Does at each step what the test says.
class Scripted final : public Collector {
 public:
  explicit Scripted(Look& look) : look_(look) {}
  void declare(Batch& /*out*/) const override {}
  Progress collect(Sources& from, Batch& out) override { return look_(from, out); }

 private:
  Look& look_;
};

/// A task at an interval of ten minutes; only tests that ask for a session would need a server.
class TaskOf : public ::testing::Test, public SampleEvidence {
 protected:
  TaskOf() {
    add();
    task_ = std::make_unique<CollectorTask>(
        id, CollectorOptions{&kSampleSpec, Seconds(600), Seconds(10), {}, {}},
        std::make_unique<Scripted>(look_), context_, database_, clock.now());
  }

  static bool wants(const Sources& from, const std::string& name) {
    return from.wants(std::array<std::string, 1>{name});
  }
  /// A pass in one step that finds "a" as bad as `bad` says.
  void pass_that_finds(double bad) {
    look_ = [bad](Sources&, Batch& out) {
      out.set(kBad, bad, std::string("a"));
      return Progress::done;
    };
    task_->step();
  }
  [[nodiscard]] double due_in() const { return (task_->due().value() - clock.now()).count(); }
  [[nodiscard]] std::optional<double> bad(const std::string& name) const {
    const auto sample = evidence->newest(id, kBad, std::vector<std::string>{name});
    return sample ? std::optional(sample->value) : std::nullopt;
  }
  [[nodiscard]] const CollectorHealth& health() {
    snapshot_ = evidence->snapshot();
    return snapshot_->collectors.front()->health;
  }
  /// A counter of the collector's own health, by its last label.
  [[nodiscard]] double counter(std::string_view metric, const std::string& label) const {
    const auto snapshot = evidence->snapshot();
    for (const Counter& one : snapshot->counters.at(id))
      if (one.metric->name == metric && one.labels.back() == label) return one.value;
    return -1;
  }

  Watchdog watchdog_{clock};
  DisposableWorkers workers_{clock};
  SessionPool pool_{
      "s",
      make_postgres_connector({"host=127.0.0.1 port=1 user=x", ""}, clock, watchdog_, workers_),
      {},
      clock,
      workers_};
  std::shared_ptr<ServerContext> context_ =
      std::make_shared<ServerContext>(server, clock, workers_, *evidence, pool_);
  std::shared_ptr<DatabaseContext> database_ =
      std::make_shared<DatabaseContext>("d", std::vector<std::string>{}, ScanPlan{});
  Look look_;
  std::unique_ptr<CollectorTask> task_;
  std::shared_ptr<const Snapshot> snapshot_;
};

TEST_F(TaskOf, APassIsDueAnIntervalAfterTheLastOneBegan) {
  EXPECT_LE(due_in(), 0);
  EXPECT_FALSE(task_->attempted());
  look_ = [this](Sources&, Batch&) {
    clock.advance(Seconds(100));
    return Progress::done;
  };
  task_->step();
  EXPECT_TRUE(task_->attempted());
  EXPECT_TRUE(health().success);
  EXPECT_NEAR(due_in(), 500, 1);
}

TEST_F(TaskOf, APassThatTakesLongerThanItsIntervalIsFollowedByTheNext) {
  look_ = [this](Sources&, Batch&) {
    clock.advance(Seconds(1000));
    return Progress::done;
  };
  task_->step();
  EXPECT_NEAR(due_in(), 0, 1);
}

TEST_F(TaskOf, APauseTakesItsTimeOnTheClock) {
  std::optional<Seconds> paused;
  look_ = [&](Sources& from, Batch&) {
    const Instant before = clock.now();
    from.pause(Seconds(5));
    paused = clock.now() - before;
    return Progress::done;
  };
  std::thread pusher([&] {
    clock.await_waiting(1);
    clock.advance(Seconds(5));
  });
  task_->step();
  pusher.join();
  EXPECT_GE(paused.value().count(), 5);
  EXPECT_TRUE(health().success);
}

TEST_F(TaskOf, APauseEndsWithTheStepsDeadline) {
  look_ = [](Sources& from, Batch&) {
    from.pause(Seconds(3600));
    return Progress::done;
  };
  std::thread pusher([&] {
    clock.await_waiting(1);
    clock.advance(Seconds(11));
  });
  task_->step();
  pusher.join();
  EXPECT_EQ(health().failure.value().reason, Reason::timeout);
}

TEST_F(TaskOf, APauseEndsAtOnceWhenTheExporterStopsAndNothingIsTakenOfItsStep) {
  std::optional<bool> session_lost;
  look_ = [&](Sources& from, Batch& out) {
    out.set(kBad, 1, std::string("a"));
    try {
      from.pause(Seconds(9));
    } catch (const SourceError& error) {
      session_lost = error.session_lost();
      throw;
    }
    return Progress::done;
  };
  std::thread stopper([&] {
    clock.await_waiting(1);
    context_->stopping.stop();
  });
  task_->step();
  stopper.join();
  EXPECT_EQ(session_lost, true) << "no object is blamed for it";
  EXPECT_FALSE(health().attempted);
  EXPECT_EQ(bad("a"), std::nullopt);
}

TEST_F(TaskOf, AWalkTellsHowFarItsPassHasCome) {
  const std::vector<std::string> first{"a"};
  const std::vector<std::string> second{"b", "c", "d"};
  look_ = [&](Sources& from, Batch& out) {
    const auto key = [](const std::string& name) { return name; };
    const auto look = [&](const std::string& name) { out.set(kBad, 0, name); };
    Walk walk(from, Walk::Pace::singly);
    if (walk.each("1", first, key, look) == Progress::more) return Progress::more;
    return walk.each("2", second, key, look);
  };
  const auto step = [&] {
    task_->step();
    return std::pair(health().pass_done, health().pass_known);
  };
  EXPECT_EQ(step(), (std::pair<std::size_t, std::size_t>(1, 1))) << "of the first section";
  EXPECT_EQ(step(), (std::pair<std::size_t, std::size_t>(2, 4)));
  EXPECT_EQ(step(), (std::pair<std::size_t, std::size_t>(3, 4)));
  step();
  EXPECT_TRUE(health().last_success) << "the pass is complete";
  clock.advance(Seconds(600));
  EXPECT_EQ(step(), (std::pair<std::size_t, std::size_t>(1, 1))) << "the next one begins anew";
}

TEST_F(TaskOf, NothingIsDoneBeforeItIsDue) {
  pass_that_finds(0);
  int looks = 0;
  look_ = [&](Sources&, Batch&) {
    ++looks;
    return Progress::done;
  };
  task_->step();
  EXPECT_EQ(looks, 0);
}

TEST_F(TaskOf, TheStepsOfAPassShareItsPositionAndCountAsOneRun) {
  std::vector<std::string> positions;
  look_ = [&](Sources& from, Batch& out) {
    positions.push_back(from.position());
    from.position() += "x";
    out.set(kBad, 0, from.position());
    return positions.size() < 3 ? Progress::more : Progress::done;
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(counter("pg_integrity_collector_runs_total", "success"), 0);
    task_->step();
  }
  EXPECT_EQ(positions, (std::vector<std::string>{"", "x", "xx"}));
  EXPECT_EQ(counter("pg_integrity_collector_runs_total", "success"), 1);
  EXPECT_TRUE(bad("x") && bad("xx") && bad("xxx"));
}

TEST_F(TaskOf, ALongPassLetsOthersThatAreDueGoFirst) {
  look_ = [](Sources&, Batch&) { return Progress::more; };
  const Instant due_before = clock.now();
  clock.advance(Seconds(1));
  task_->step();
  EXPECT_GT(task_->due(), due_before + Seconds(0.5)) << "it queues behind what fell due meanwhile";
  EXPECT_LE(due_in(), 0) << "and rests no longer than that";
}

TEST_F(TaskOf, AViolatedObjectIsLookedAtAgainWithinAMinuteAndNoOther) {
  pass_that_finds(3);
  EXPECT_NEAR(due_in(), 60, 1);
  clock.advance(Seconds(61));
  bool wants_a = false;
  bool wants_b = true;
  double reusable = -1;
  look_ = [&](Sources& from, Batch& out) {
    wants_a = wants(from, "a");
    wants_b = wants(from, "b");
    reusable = from.reusable_age().count();
    out.set(kBad, 0, std::string("a"));
    return Progress::done;
  };
  task_->step();
  EXPECT_TRUE(wants_a);
  EXPECT_FALSE(wants_b);
  EXPECT_EQ(reusable, 0) << "no older observation is taken for it";
  EXPECT_EQ(bad("a"), 0);
  EXPECT_EQ(counter("pg_integrity_collector_runs_total", "success"), 1) << "a recheck is no pass";
  EXPECT_NEAR(due_in(), 539, 2) << "nothing is violated any more";
}

TEST_F(TaskOf, ASumThatNoLookBringsDownIsNotLookedAtAgainSoon) {
  look_ = [](Sources&, Batch& out) {
    out.set(kSum, 3, std::string("a"));
    return Progress::done;
  };
  task_->step();
  EXPECT_NEAR(due_in(), 600, 1);
  look_ = [](Sources&, Batch& out) {
    out.set(kSum, 3, std::string("a"));
    out.set(kBad, 1, std::string("a"));
    return Progress::done;
  };
  clock.advance(Seconds(601));
  task_->step();
  EXPECT_NEAR(due_in(), 60, 1) << "what else is wrong with it may be mended";
}

TEST_F(TaskOf, WhatStaysViolatedIsLookedAtEveryMinute) {
  pass_that_finds(3);
  int looks = 0;
  look_ = [&](Sources&, Batch& out) {
    ++looks;
    out.set(kBad, 3, std::string("a"));
    return Progress::done;
  };
  for (int minute = 1; minute <= 5; ++minute) {
    clock.advance(Seconds(60.1));
    task_->step();
    EXPECT_EQ(looks, minute);
  }
}

TEST_F(TaskOf, WhatOneLookDoesNotTellIsLookedAtAgainSoon) {
  std::vector<std::string> looked;
  bool settled = false;
  look_ = [&](Sources& from, Batch& out) {
    for (const char* name : {"a", "b"}) {
      if (!wants(from, name)) continue;
      looked.emplace_back(name);
      if (settled || *name == 'b')
        out.set(kBad, 0, std::string(name));
      else
        out.unsettled(kBad, "one look does not tell", std::string(name));
    }
    return Progress::done;
  };
  task_->step();
  for (int again = 0; again < 2; ++again) {
    ASSERT_NEAR(due_in(), 60, 1);
    clock.advance(Seconds(61));
    looked.clear();
    settled = again == 1;
    task_->step();
    EXPECT_EQ(looked, std::vector<std::string>{"a"});
  }
  EXPECT_GT(due_in(), 400) << "the next pass";
  EXPECT_EQ(bad("a"), 0);
}

TEST_F(TaskOf, APassThatGoesOnWithoutASessionIsMadeAnewInAMinuteAndNotWheneverOthersFail) {
  look_ = [](Sources& from, Batch& out) {
    EXPECT_THROW(from.session(), SourceError);
    out.set(kBad, 0, std::string("a"));
    return Progress::done;
  };
  task_->step();
  EXPECT_NEAR(due_in(), 60, 1);
  task_->server_lost();
  EXPECT_NEAR(due_in(), 60, 1);
}

TEST_F(TaskOf, ARecheckOfSeveralStepsGoesOnAtOnce) {
  pass_that_finds(3);
  clock.advance(Seconds(61));
  int steps = 0;
  look_ = [&](Sources&, Batch& out) {
    if (++steps < 3) return Progress::more;
    out.set(kBad, 0, std::string("a"));
    return Progress::done;
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_LE(due_in(), 0) << i;
    task_->step();
  }
  EXPECT_EQ(steps, 3);
  EXPECT_EQ(bad("a"), 0);
}

TEST_F(TaskOf, ARecheckPutsARunningPassAsideAndThatGoesOnWhereItWas) {
  look_ = [](Sources& from, Batch& out) {
    out.set(kBad, 3, std::string("a"));
    from.position() = "a";
    return Progress::done;
  };
  task_->step();
  clock.advance(Seconds(650));
  const auto look_further = [](Sources& from, Batch& out) {
    const bool pass = wants(from, "b");
    out.set(kBad, pass ? 3 : 4, std::string("a"));
    if (pass) out.set(kBad, from.position() == "half" ? 1 : 0, std::string("b"));
    if (pass && from.position().empty()) {
      from.position() = "half";
      return Progress::more;
    }
    return Progress::done;
  };
  look_ = look_further;
  task_->step();  // the recheck that was due
  EXPECT_EQ(bad("a"), 4);
  task_->step();  // half of the pass
  EXPECT_EQ(bad("b"), 0);
  clock.advance(Seconds(61));
  task_->step();  // the next recheck
  EXPECT_EQ(bad("a"), 4);
  EXPECT_EQ(bad("b"), 0);
  task_->step();  // the other half
  EXPECT_EQ(bad("b"), 1);
  EXPECT_EQ(counter("pg_integrity_collector_runs_total", "success"), 2);
}

TEST_F(TaskOf, APassOverAClusterThatWasReplacedStartsAnew) {
  answers("1234", 1);
  std::vector<TableScans*> scans;
  look_ = [&](Sources& from, Batch& out) {
    scans.push_back(&from.scans());
    if (from.position().empty()) {
      out.set(kBad, 7, std::string("a"));
      from.position() = "half";
      return Progress::more;
    }
    out.set(kBad, 0, std::string("b"));
    return Progress::done;
  };
  task_->step();
  ASSERT_EQ(bad("a"), 7);
  answers("9999", 1);
  task_->step();  // would have been the other half
  EXPECT_FALSE(bad("a"));
  EXPECT_FALSE(bad("b"));
  EXPECT_FALSE(health().success);
  EXPECT_LE(due_in(), 0);
  task_->step();
  EXPECT_EQ(bad("a"), 7);
  task_->step();
  EXPECT_EQ(bad("b"), 0);
  EXPECT_TRUE(health().success);
  EXPECT_EQ(scans[0], scans[1]);
  EXPECT_NE(scans[1], scans[2]) << "what was read of the old cluster is not used for the new one";
}

TEST_F(TaskOf, AFailedStepKeepsWhatWasKnownAndCountsItsEvents) {
  pass_that_finds(0);
  clock.advance(Seconds(601));
  look_ = [](Sources&, Batch& out) -> Progress {
    out.set(kBad, 9, std::string("a"));
    out.count(kCount, 2, std::string("a"));
    throw SourceError(Reason::server, "it failed");
  };
  task_->step();
  EXPECT_EQ(bad("a"), 0);
  EXPECT_EQ(counter("pg_integrity_sample_events_total", "a"), 2);
  EXPECT_EQ(counter("pg_integrity_collector_runs_total", "failure"), 1);
  EXPECT_EQ(counter("pg_integrity_collector_failures_total", "server"), 1);
  EXPECT_FALSE(health().success);
  EXPECT_EQ(health().failure.value().detail, "it failed");
  EXPECT_NEAR(due_in(), 60, 1) << "sooner than the next pass would be";
}

TEST_F(TaskOf, AfterAFailureThePassBeginsAnew) {
  look_ = [](Sources& from, Batch&) {
    from.position() = "half";
    return Progress::more;
  };
  task_->step();
  look_ = [](Sources&, Batch&) -> Progress { throw SourceError(Reason::server, "it failed"); };
  task_->step();
  std::string position = "?";
  look_ = [&](Sources& from, Batch&) {
    position = from.position();
    return Progress::done;
  };
  clock.advance(Seconds(61));
  task_->step();
  EXPECT_EQ(position, "");
}

TEST_F(TaskOf, WhateverACollectorThrowsIsAFailureWithAReason) {
  look_ = [](Sources&, Batch&) -> Progress { throw std::bad_alloc(); };
  task_->step();
  EXPECT_EQ(health().failure.value().reason, Reason::limit);
  clock.advance(Seconds(61));
  look_ = [](Sources&, Batch&) -> Progress { throw std::out_of_range("at"); };
  task_->step();
  EXPECT_EQ(health().failure.value().reason, Reason::internal);
  EXPECT_EQ(health().failure.value().detail, "unexpected: at");
}

TEST_F(TaskOf, OutOfReachIsTriedAgainWithThePool) {
  int told = 0;
  context_->database_lost = [&](const std::string&, bool was_reached) {
    ++told;
    EXPECT_FALSE(was_reached) << "it never answered, so that says nothing about the others";
  };
  look_ = [](Sources& from, Batch&) {
    from.session();
    return Progress::done;
  };
  task_->step();
  EXPECT_EQ(health().failure.value().reason, Reason::connect);
  EXPECT_LE(due_in(), 1);
  EXPECT_EQ(told, 1);
}

TEST_F(TaskOf, WhoeverUsesSessionsFindsOutAtOnceThatTheServerIsLost) {
  pass_that_finds(0);
  task_->server_lost();
  EXPECT_NEAR(due_in(), 600, 1) << "it never asked for a session";
  clock.advance(Seconds(601));
  look_ = [](Sources& from, Batch&) {
    from.session();
    return Progress::done;
  };
  task_->step();
  clock.advance(Seconds(60));
  pass_that_finds(0);
  EXPECT_NEAR(due_in(), 600, 1);
  task_->server_lost();
  EXPECT_LE(due_in(), 0);
}

TEST_F(TaskOf, EverybodyLooksAnewWhenAnotherClusterAnswers) {
  pass_that_finds(0);
  EXPECT_NEAR(due_in(), 600, 1);
  task_->evidence_lost();
  EXPECT_LE(due_in(), 0) << "though it never asked for a session";
}

TEST_F(TaskOf, WhatAStepBringsAfterTheStopIsNotTaken) {
  look_ = [this](Sources&, Batch& out) {
    context_->stopping.stop();
    out.set(kBad, 3, std::string("a"));
    return Progress::done;
  };
  task_->step();
  EXPECT_FALSE(bad("a"));
  EXPECT_FALSE(health().attempted);
}

TEST_F(TaskOf, OnceMeansOnce) {
  context_->once = true;
  pass_that_finds(3);
  EXPECT_FALSE(task_->due()) << "not even what is violated is looked at again";
}

TEST_F(TaskOf, OnceIsNotTriedAgainEither) {
  context_->once = true;
  look_ = [](Sources& from, Batch&) {
    from.session();
    return Progress::done;
  };
  task_->step();
  EXPECT_TRUE(task_->attempted());
  EXPECT_FALSE(task_->due());
}

}  // namespace
}  // namespace pg_integrity::test::collector_task_test
