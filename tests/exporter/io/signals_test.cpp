#include "exporter/io/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <future>

namespace pg_integrity::test::signals_test {
namespace {

/// Runs in a process of its own, because signals belong to the whole process.
TEST(SignalThreadOf, RunsItsActionForEachSignalAndEndsAtOnceWithoutOne) {
  const auto signalled = [] {
    {
      const SignalThread quiet([](int) { std::_Exit(1); });
    }
    std::promise<void> first;
    std::promise<void> second;
    int signals = 0;
    const SignalThread thread([&](int) { (++signals == 1 ? first : second).set_value(); });
    ::kill(::getpid(), SIGTERM);
    first.get_future().wait();
    ::kill(::getpid(), SIGINT);
    second.get_future().wait();
    std::_Exit(7);
  };
  EXPECT_EXIT(signalled(), testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace pg_integrity::test::signals_test
