#include "exporter/scheduler/lane.h"

#include <gtest/gtest.h>

#include <future>

#include "collectors/base/instant.h"
#include "exporter/scheduler/task.h"
#include "tests/support/clock.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::lane_test {
namespace {

constexpr Instant kStart{Seconds(1000)};

double free_after(const LoadShare& load, bool quick) {
  return (load.free_at(quick) - kStart).count();
}

TEST(LoadShareOf, WorkIsFollowedByARestThatKeepsTheShare) {
  LoadShare load(0.05);
  load.spent(false, Seconds(1), kStart + Seconds(1));
  EXPECT_NEAR(free_after(load, false), 20, 1e-6) << "from when the work began";
}

TEST(LoadShareOf, ScansDoNotHoldUpQuickWork) {
  LoadShare load(0.05);
  load.spent(false, Seconds(1), kStart + Seconds(1));
  EXPECT_LE(load.free_at(true), kStart);
}

TEST(LoadShareOf, ScansMakeRoomForQuickWork) {
  LoadShare load(0.1);
  load.spent(false, Seconds(1), kStart + Seconds(1));
  load.spent(true, Seconds(1), kStart + Seconds(2));
  EXPECT_NEAR(free_after(load, true), 21, 1e-6);
  EXPECT_NEAR(free_after(load, false), 20, 1e-6) << "two seconds of work in all";
}

TEST(LoadShareOf, EndlessQuickWorkLeavesScansHalfOfTheShare) {
  LoadShare load(0.1);
  double quick = 0;
  double scans = 0;
  for (Instant now = kStart; now < kStart + Seconds(1000);) {
    for (const bool is_quick : {true, false}) {
      if (load.free_at(is_quick) > now) continue;
      now += Seconds(0.1);
      load.spent(is_quick, Seconds(0.1), now);
      (is_quick ? quick : scans) += 0.1;
    }
    now += Seconds(0.01);
  }
  EXPECT_NEAR(quick, 50, 3);
  EXPECT_NEAR(scans, 50, 3);
}

TEST(LoadShareOf, TimeWithoutWorkIsNotSavedUp) {
  LoadShare load(0.1);
  load.spent(false, Seconds(1), kStart + Seconds(1));
  load.spent(false, Seconds(1), kStart + Seconds(501));
  EXPECT_NEAR(free_after(load, false), 510, 1e-6);
}

TEST(LoadShareOf, AWholeShareNeverRests) {
  LoadShare load(1);
  load.spent(false, Seconds(100), kStart);
  load.spent(true, Seconds(100), kStart);
  EXPECT_LE(load.free_at(false), kStart);
  EXPECT_LE(load.free_at(true), kStart);
}

/// Does what the test says, when the test says.
class Chore final : public Task {
 public:
  explicit Chore(std::function<std::optional<Instant>()> work, std::optional<Instant> due)
      : work_(std::move(work)), due_(due) {}

  [[nodiscard]] std::optional<Instant> due() const override {
    const std::lock_guard lock(mutex_);
    return due_;
  }
  Seconds step() override {
    const auto next = work_();
    ++steps;
    const std::lock_guard lock(mutex_);
    due_ = next;
    return busy;
  }
  void server_lost() override {}
  void evidence_lost() override {}
  void due_at(Instant moment) {
    const std::lock_guard lock(mutex_);
    due_ = moment;
  }

  std::atomic<int> steps = 0;
  Seconds busy{0};

 private:
  const std::function<std::optional<Instant>()> work_;
  mutable std::mutex mutex_;
  std::optional<Instant> due_;
};

class Lane : public ::testing::Test {
 protected:
  std::unique_ptr<LaneThread> lane(LoadShare& load) {
    return std::make_unique<LaneThread>(false, load, clock_, [this] {
      ++upkeeps_;
      return upkeep_at_;
    });
  }
  std::shared_ptr<Chore> once(double in_seconds, const std::string& name = {}) {
    return std::make_shared<Chore>(
        [this, name]() -> std::optional<Instant> {
          order_ += name;
          return std::nullopt;
        },
        clock_.now() + Seconds(in_seconds));
  }

  SteppedClock clock_;
  LoadShare unlimited_{1};
  std::atomic<int> upkeeps_ = 0;
  std::optional<Instant> upkeep_at_;
  std::string order_;  ///< written by the lane's thread
};

TEST_F(Lane, TheLongestDueGoesFirst) {
  const auto thread = lane(unlimited_);
  thread->add(once(-1, "c"));
  thread->add(once(-3, "a"));
  thread->add(once(-2, "b"));
  thread->start(true);
  thread->join();
  EXPECT_EQ(order_, "abc");
}

TEST_F(Lane, NothingIsDoneBeforeItIsDue) {
  const auto thread = lane(unlimited_);
  const auto later = once(3600);
  const auto now = once(0);
  thread->add(later);
  thread->add(now);
  thread->start(false);
  ASSERT_TRUE(eventually([&] { return now->steps == 1; }));
  EXPECT_EQ(later->steps, 0);
  clock_.advance(Seconds(3601));
  EXPECT_TRUE(eventually([&] { return later->steps == 1; }));
}

TEST_F(Lane, RestsUntilItsShareAllowsTheNextStep) {
  LoadShare twentieth(0.05);
  std::vector<Instant> begun;
  const auto busy = std::make_shared<Chore>(
      [&]() -> std::optional<Instant> {
        begun.push_back(clock_.now());
        if (begun.size() == 3) return std::nullopt;
        return clock_.now();
      },
      clock_.now());
  busy->busy = Seconds(100);
  const auto thread = lane(twentieth);
  thread->add(busy);
  thread->start(false);
  EXPECT_TRUE(eventually([&] {
    clock_.advance(Seconds(100));
    return busy->steps == 3;
  }));
  thread->stop();
  thread->join();
  ASSERT_EQ(begun.size(), 3U);
  EXPECT_GE((begun[1] - begun[0]).count(), 1900);
  EXPECT_GE((begun[2] - begun[1]).count(), 1900);
}

TEST_F(Lane, DoesNotRestWhereItOnlyGoesOnUntilAllIsDone) {
  LoadShare twentieth(0.05);
  const auto busy = std::make_shared<Chore>(
      [this, left = 3]() mutable -> std::optional<Instant> {
        return --left > 0 ? std::optional(clock_.now()) : std::nullopt;
      },
      clock_.now());
  busy->busy = Seconds(100);
  const auto thread = lane(twentieth);
  thread->add(busy);
  thread->start(true);
  EXPECT_TRUE(eventually([&] { return thread->finished(); }));
  EXPECT_EQ(busy->steps, 3);
}

TEST_F(Lane, EndsWhenNothingWillBeDueAgain) {
  const auto thread = lane(unlimited_);
  const auto work = once(0);
  thread->add(work);
  EXPECT_FALSE(thread->finished());
  thread->start(true);
  EXPECT_TRUE(eventually([&] { return thread->finished(); }));
  EXPECT_EQ(work->steps, 1);
}

TEST_F(Lane, TakesUpWhatIsAddedWhileItRuns) {
  const auto thread = lane(unlimited_);
  thread->start(false);
  const auto work = once(0);
  thread->add(work);
  EXPECT_TRUE(eventually([&] { return work->steps == 1; }));
}

TEST_F(Lane, AfterStopNoStepBeginsAndTheRunningOneGoesOn) {
  std::promise<void> begun;
  std::promise<void> go_on;
  const auto running = std::make_shared<Chore>(
      [&]() -> std::optional<Instant> {
        begun.set_value();
        go_on.get_future().wait();
        return std::nullopt;
      },
      clock_.now() - Seconds(2));
  const auto next = once(-1);
  const auto thread = lane(unlimited_);
  thread->add(running);
  thread->add(next);
  thread->start(false);
  begun.get_future().wait();
  thread->stop();
  EXPECT_FALSE(thread->finished());
  go_on.set_value();
  thread->join();
  EXPECT_TRUE(thread->finished());
  EXPECT_EQ(running->steps, 1);
  EXPECT_EQ(next->steps, 0);
}

TEST_F(Lane, ARemovedTaskMakesNoFurtherStep) {
  const auto thread = lane(unlimited_);
  const auto removed = once(3600);
  const auto kept = once(3600);
  thread->add(removed);
  thread->add(kept);
  thread->start(false);
  thread->remove(*removed);
  clock_.advance(Seconds(3601));
  EXPECT_TRUE(eventually([&] { return kept->steps == 1; }));
  EXPECT_EQ(removed->steps, 0);
}

TEST_F(Lane, UpkeepIsDoneAtItsTimeEvenIfNothingIsDue) {
  upkeep_at_ = clock_.now() + Seconds(3600);
  const auto thread = lane(unlimited_);
  thread->start(false);
  clock_.await_waiting(1);
  EXPECT_EQ(upkeeps_, 1);
  clock_.advance(Seconds(3601));
  EXPECT_TRUE(eventually([&] { return upkeeps_ >= 2; }));
}

TEST_F(Lane, WithoutAnythingToDoItSleepsUntilItIsToldToStop) {
  const auto thread = lane(unlimited_);
  thread->start(false);
  thread->add(once(1e9));
  clock_.await_waiting(1);
  const int before = upkeeps_;
  thread->wake();
  clock_.await_waiting(1);
  EXPECT_EQ(upkeeps_, before);
  thread->wait_until_finished(clock_.now());
  EXPECT_FALSE(thread->finished());
  thread->stop();
  thread->wait_until_finished(clock_.now() + Seconds(1e9));
  EXPECT_TRUE(thread->finished());
}

TEST_F(Lane, AMomentThatComesEarlierThanItWasIsNotSleptOver) {
  const auto thread = lane(unlimited_);
  const auto moved = once(1e9);
  thread->add(moved);
  thread->start(false);
  clock_.await_waiting(1);
  moved->due_at(clock_.now());
  thread->wake();
  EXPECT_TRUE(eventually([&] { return moved->steps == 1; }));
}

TEST_F(Lane, OneThatWasNeverStartedGoesQuietly) {
  const auto thread = lane(unlimited_);
  thread->add(once(0));
}

}  // namespace
}  // namespace pg_integrity::test::lane_test
