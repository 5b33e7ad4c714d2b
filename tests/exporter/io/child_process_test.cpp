#include "exporter/io/child_process.h"

#include <gtest/gtest.h>

#include <csignal>
#include <future>
#include <thread>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "tests/support/failure.h"

namespace pg_integrity::test::child_process_test {
namespace {

constexpr Seconds kForEver{1e9};

Command shell(const std::string& script) {
  Command command;
  command.arguments = {"/bin/sh", "-c", script};
  return command;
}

TEST(ChildOf, ItsEndIsNoticedThoughItsOutputGoesNowhere) {
  Children children;
  EXPECT_EQ(run(children, shell("exec 2>&-; exit 3"), kForEver).status, 3);
}

TEST(ChildOf, ItsEndIsNoticedThoughSomebodyHoldsItsErrorsOpen) {
  Children children;
  const Ended ended = run(children, shell("setsid sleep 20 & echo gone >&2; exit 4"), kForEver);
  EXPECT_EQ(ended.status, 4);
  EXPECT_EQ(ended.errors, std::vector<std::string>{"gone"});
}

TEST(ChildOf, OneThatGoesOnIsAskedWithoutWaiting) {
  Children children;
  Child child(children, shell("echo begun >&2; exec sleep 1000"));
  EXPECT_FALSE(child.ended_within(Seconds(0)));
  EXPECT_EQ(failure([&] { child.wait(Seconds(0)); }).reason(), Reason::timeout);
}

TEST(ChildOf, WhoWaitsForOneHearsOfTheOther) {
  Children children;
  Child waited_for(children, shell("exec sleep 1000"));
  Child other(children, shell("echo first >&2; read -r line; exit 5"));  // its input is empty
  while (!other.ended_within(Seconds(0))) ASSERT_FALSE(waited_for.ended_before_news_of(other));
  EXPECT_EQ(other.status(), 5);
  waited_for.signal(SIGTERM);
  while (!waited_for.ended_before_news_of(other)) continue;
  EXPECT_EQ(waited_for.status(), 128 + SIGTERM);
  EXPECT_TRUE(waited_for.ended_before_news_of(other))
      << "it has ended, and is not waited for again";
}

TEST(ChildrenOf, AnInterruptionEndsTheWaitForOne) {
  Children children;
  std::promise<void> begun;
  Command command = shell("echo begun >&2; exec sleep 1000");
  command.on_line = [&](const std::string&) { begun.set_value(); };
  std::thread interrupter([&] {
    begun.get_future().wait();
    children.interrupt();
  });
  EXPECT_THROW(run(children, command, kForEver), Interrupted);
  interrupter.join();
  EXPECT_THROW(Child(children, command), Interrupted) << "no other one starts";
}

TEST(ChildrenOf, AnInterruptionEndsWhatElseIsUnderway) {
  Children children;
  int ended = 0;
  {
    const Children::Guard over(children, [&] { ended += 100; });
  }
  const Children::Guard guard(children, [&] { ended += 1; });
  EXPECT_EQ(ended, 0);
  children.interrupt();
  EXPECT_EQ(ended, 1);
  const Children::Guard late(children, [&] { ended += 10; });
  EXPECT_EQ(ended, 11) << "what begins afterwards ends at once";
}

}  // namespace
}  // namespace pg_integrity::test::child_process_test
