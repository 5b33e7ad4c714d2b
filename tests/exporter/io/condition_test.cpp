#include "exporter/io/condition.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "collectors/base/instant.h"
#include "exporter/io/clock.h"
#include "exporter/io/mutex.h"
#include "exporter/io/stop_signal.h"
#include "tests/support/clock.h"

namespace pg_integrity::test::condition_test {
namespace {

constexpr Seconds kForEver{1e9};

TEST(ConditionOf, AWaitEndsAtItsMomentOfARealClock) {
  const SystemClock clock;
  Mutex mutex;
  Condition changed;
  const Instant moment = clock.now() + Seconds(0.02);
  const MutexLock lock(mutex);
  changed.wait_until(mutex, clock, moment);
  EXPECT_GE(clock.now(), moment);
  changed.wait_until(mutex, clock, clock.now() - kForEver);
}

TEST(ConditionOf, ANotificationEndsAWaitThatHasNoEnd) {
  const SystemClock clock;
  Mutex mutex;
  Condition changed;
  std::atomic<bool> waits = false;
  bool told = false;
  std::thread teller([&] {
    while (!waits) std::this_thread::yield();
    const MutexLock lock(mutex);
    told = true;
    changed.notify_all();
  });
  const MutexLock lock(mutex);
  waits = true;
  while (!told) changed.wait_until(mutex, clock, std::nullopt);
  teller.join();
}

TEST(ConditionOf, NoNotificationIsLostBetweenTheLooksOfTwoThreads) {
  const SystemClock clock;
  constexpr int kRounds = 2000;
  Mutex mutex;
  Condition changed;
  int turn = 0;
  const auto play = [&](int own) {
    const MutexLock lock(mutex);
    for (int round = 0; round < kRounds; ++round) {
      while (turn % 2 != own) changed.wait_until(mutex, clock, clock.now() + kForEver);
      ++turn;
      changed.notify_all();
    }
  };
  std::thread other(play, 1);
  play(0);
  other.join();
  EXPECT_EQ(turn, 2 * kRounds);
}

TEST(ConditionOf, AClockThatIsPutForwardEndsTheWaitsThatItHasPassed) {
  SteppedClock clock;
  Mutex mutex;
  Condition changed;
  const Instant moment = clock.now() + Seconds(3600);
  std::thread pusher([&] {
    clock.await_waiting(1);
    clock.advance(Seconds(1800));
    clock.await_waiting(1);
    clock.advance(Seconds(1801));
  });
  int looks = 0;
  {
    const MutexLock lock(mutex);
    for (; clock.now() < moment; ++looks) changed.wait_until(mutex, clock, moment);
  }
  pusher.join();
  EXPECT_GE(looks, 1);
}

TEST(StopSignalOf, EndsTheWaitOfWhoeverLetsTimePass) {
  SteppedClock clock;
  StopSignal stopping;
  EXPECT_TRUE(stopping.wait_until(clock, clock.now()));
  std::thread stopper([&] {
    clock.await_waiting(1);
    stopping.stop();
  });
  EXPECT_FALSE(stopping.wait_until(clock, clock.now() + kForEver));
  stopper.join();
  EXPECT_TRUE(stopping.stopped());
  EXPECT_FALSE(stopping.wait_until(clock, clock.now() + kForEver)) << "it stays so";
}

TEST(StopSignalOf, TheTimeThatPassesIsThatOfTheClock) {
  SteppedClock clock;
  const StopSignal stopping;
  std::thread pusher([&] {
    clock.await_waiting(1);
    clock.advance(Seconds(3600));
  });
  EXPECT_TRUE(stopping.wait_until(clock, clock.now() + Seconds(3600)));
  pusher.join();
}

}  // namespace
}  // namespace pg_integrity::test::condition_test
