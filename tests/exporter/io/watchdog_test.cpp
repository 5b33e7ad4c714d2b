#include "exporter/io/watchdog.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

#include "collectors/base/instant.h"
#include "tests/support/clock.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::watchdog_test {
namespace {

class WatchdogOf : public ::testing::Test {
 protected:
  [[nodiscard]] Instant in(double seconds) const { return clock_.now() + Seconds(seconds); }
  static std::function<void()> counting(std::atomic<int>& runs) {
    return [&runs] { ++runs; };
  }
  /// Returns after the watchdog has read the clock once more.
  void look() {
    std::atomic<int> seen = 0;
    const auto guard = watchdog_.arm(clock_.now(), counting(seen));
    ASSERT_TRUE(eventually([&] { return seen == 1; }));
  }

  SteppedClock clock_;
  Watchdog watchdog_{clock_};
};

TEST_F(WatchdogOf, RunsTheActionAtItsDeadlineAndNotBefore) {
  std::atomic<int> runs = 0;
  const auto guard = watchdog_.arm(in(3600), counting(runs));
  look();
  EXPECT_EQ(runs, 0);
  clock_.advance(Seconds(3601));
  EXPECT_TRUE(eventually([&] { return runs == 1; }));
}

TEST_F(WatchdogOf, RunsItOnce) {
  std::atomic<int> runs = 0;
  const auto guard = watchdog_.arm(clock_.now(), counting(runs));
  look();
  look();
  EXPECT_EQ(runs, 1);
}

TEST_F(WatchdogOf, WhatIsCalledOffDoesNotRun) {
  std::atomic<int> runs = 0;
  { const auto guard = watchdog_.arm(in(3600), counting(runs)); }
  clock_.advance(Seconds(3601));
  look();
  EXPECT_EQ(runs, 0);
}

TEST_F(WatchdogOf, AnEarlierDeadlineDoesNotWaitForALaterOne) {
  std::atomic<int> early = 0;
  std::atomic<int> late = 0;
  const auto later = watchdog_.arm(in(3600), counting(late));
  look();
  const auto earlier = watchdog_.arm(in(0.05), counting(early));
  EXPECT_TRUE(eventually([&] { return early == 1; }));
  EXPECT_EQ(late, 0);
}

TEST_F(WatchdogOf, ServesWhatIsDueInWhateverOrderItCame) {
  std::atomic<int> tens = 0;
  std::atomic<int> twenties = 0;
  const auto a = watchdog_.arm(in(2000), counting(twenties));
  const auto b = watchdog_.arm(in(1000), counting(tens));
  const auto c = watchdog_.arm(in(2000), counting(twenties));
  clock_.advance(Seconds(1500));
  look();
  EXPECT_EQ(tens, 1);
  EXPECT_EQ(twenties, 0);
  clock_.advance(Seconds(1000));
  look();
  EXPECT_EQ(twenties, 2);
}

TEST_F(WatchdogOf, WhoeverCallsOffWaitsForAnActionThatRuns) {
  std::promise<void> begun;
  std::promise<void> go_on;
  std::unique_ptr<Watchdog::Guard> guard(new Watchdog::Guard(watchdog_.arm(clock_.now(), [&] {
    begun.set_value();
    go_on.get_future().wait();
  })));
  begun.get_future().wait();
  auto called_off = std::async(std::launch::async, [&] { guard.reset(); });
  EXPECT_EQ(called_off.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  go_on.set_value();
  called_off.get();
}

TEST_F(WatchdogOf, IsNotWokenForWhatIsDueLaterThanItLooksAnyway) {
  std::atomic<int> runs = 0;
  const auto first = watchdog_.arm(in(1000), counting(runs));
  clock_.await_waiting(1);
  { const auto called_off = watchdog_.arm(in(2000), counting(runs)); }
  const auto later = watchdog_.arm(in(2000), counting(runs));
  clock_.advance(Seconds(1001));
  EXPECT_TRUE(eventually([&] { return runs == 1; }));
  clock_.advance(Seconds(1000));
  EXPECT_TRUE(eventually([&] { return runs == 2; }));
}

}  // namespace
}  // namespace pg_integrity::test::watchdog_test
