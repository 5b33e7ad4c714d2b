#include "exporter/io/disposable_workers.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "tests/support/clock.h"
#include "tests/support/failure.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::disposable_workers_test {
namespace {

/// A call that hangs until it is let go. Copies share its state.
class Hanging {
 public:
  void operator()() const { future_.wait(); }
  void let_go() const { promise_->set_value(); }

 private:
  std::shared_ptr<std::promise<void>> promise_ = std::make_shared<std::promise<void>>();
  std::shared_future<void> future_ = promise_->get_future().share();
};

class Workers : public ::testing::Test {
 protected:
  [[nodiscard]] Instant in(double seconds) const { return clock_.now() + Seconds(seconds); }

  /// Sends a worker down the path and gives it up, because it does not come back in time.
  void lose(const Hanging& hanging, const std::string& path) {
    const std::function<int()> work = [hanging] {
      hanging();
      return 0;
    };
    EXPECT_EQ(failure([&] { workers_.run<int>(path, clock_.now(), work); }).reason(),
              Reason::timeout);
  }

  SteppedClock clock_;
  DisposableWorkers workers_{clock_};
};

TEST_F(Workers, BringBackWhatTheWorkReturns) {
  EXPECT_EQ(workers_.run<std::string>("path", in(30), [] { return std::string("found"); }),
            "found");
  EXPECT_EQ(workers_.given_up(), 0U);
}

TEST_F(Workers, PassOnWhatTheWorkThrows) {
  const std::function<int()> work = []() -> int {
    throw SourceError(Reason::permission, "denied");
  };
  EXPECT_EQ(failure([&] { workers_.run<int>("path", in(30), work); }).reason(), Reason::permission);
  EXPECT_EQ(workers_.given_up(), 0U);
}

TEST_F(Workers, AreGivenUpAtTheDeadline) {
  const Hanging hanging;
  lose(hanging, "path");
  EXPECT_EQ(workers_.given_up(), 1U);
  hanging.let_go();
  EXPECT_TRUE(eventually([&] { return workers_.given_up() == 0; }));
}

TEST_F(Workers, TheDeadlineIsThatOfTheClock) {
  const Hanging hanging;
  std::thread pusher([&] {
    clock_.await_waiting(1);
    clock_.advance(Seconds(3601));
  });
  const std::function<int()> work = [hanging] {
    hanging();
    return 0;
  };
  EXPECT_EQ(failure([&] { workers_.run<int>("path", in(3600), work); }).reason(), Reason::timeout);
  pusher.join();
  hanging.let_go();
}

TEST_F(Workers, WhileOneIsOutNoOtherIsSentDownItsPath) {
  const Hanging hanging;
  lose(hanging, "path");
  bool sent = false;
  const std::function<int()> work = [&sent] {
    sent = true;
    return 7;
  };
  EXPECT_EQ(failure([&] { workers_.run<int>("path", in(30), work); }).reason(), Reason::timeout);
  EXPECT_FALSE(sent);
  EXPECT_EQ(workers_.run<int>("another path", in(30), work), 7);
  hanging.let_go();
  ASSERT_TRUE(eventually([&] { return workers_.given_up() == 0; }));
  EXPECT_EQ(workers_.run<int>("path", in(30), work), 7) << "the path is free again";
}

TEST_F(Workers, OfTwoOnOnePathBothMustBeBackBeforeItIsFree) {
  const Hanging hanging[2];
  std::atomic<int> out = 0;
  std::vector<std::thread> callers;
  for (const Hanging& one : hanging)
    callers.emplace_back([&] {
      const std::function<int()> work = [&out, one] {
        ++out;
        one();
        return 0;
      };
      EXPECT_EQ(failure([&] { workers_.run<int>("path", in(3600), work); }).reason(),
                Reason::timeout);
    });
  ASSERT_TRUE(eventually([&] { return out == 2; }));
  clock_.advance(Seconds(3601));
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(workers_.given_up(), 2U);
  hanging[0].let_go();
  EXPECT_TRUE(eventually([&] { return workers_.given_up() == 1; }));
  EXPECT_EQ(failure([&] { workers_.run<int>("path", in(30), [] { return 0; }); }).reason(),
            Reason::timeout);
  hanging[1].let_go();
  EXPECT_TRUE(eventually([&] { return workers_.given_up() == 0; }));
}

TEST_F(Workers, SiblingsKnowOfEachOthersLosses) {
  const Hanging hanging;
  const auto sibling = workers_.sibling();
  lose(hanging, "path");
  EXPECT_EQ(sibling->given_up(), 1U);
  EXPECT_EQ(failure([&] { sibling->run<int>("path", in(30), [] { return 0; }); }).reason(),
            Reason::timeout);
  hanging.let_go();
  EXPECT_TRUE(eventually([&] { return sibling->given_up() == 0; }));
}

TEST_F(Workers, WhoeverWaitsGivesUpWhenToldAndItsSiblingsDoNot) {
  const Hanging hanging;
  const auto sibling = workers_.sibling();
  std::thread stopper([&] {
    clock_.await_waiting(1);
    sibling->stop_waiting();
  });
  const std::function<int()> work = [hanging] {
    hanging();
    return 0;
  };
  EXPECT_EQ(failure([&] { sibling->run<int>("path", in(3600), work); }).reason(), Reason::timeout);
  stopper.join();
  EXPECT_EQ(workers_.run<int>("another path", in(30), [] { return 7; }), 7);
  hanging.let_go();
}

/// Tells on which thread it was destroyed.
struct Witness {
  explicit Witness(std::promise<std::thread::id>& told) : where(told) {}
  ~Witness() { where.set_value(std::this_thread::get_id()); }
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  std::promise<std::thread::id>& where;
};

TEST_F(Workers, WhatComesLateIsDestroyedOnItsThreadEvenAfterTheObject) {
  using Late = std::unique_ptr<Witness>;
  const Hanging hanging;
  std::promise<std::thread::id> destroyed;
  {
    DisposableWorkers short_lived(clock_);
    const std::function<Late()> work = [hanging, &destroyed] {
      hanging();
      return std::make_unique<Witness>(destroyed);
    };
    EXPECT_EQ(failure([&] { short_lived.run<Late>("path", clock_.now(), work); }).reason(),
              Reason::timeout);
  }
  hanging.let_go();
  EXPECT_NE(destroyed.get_future().get(), std::this_thread::get_id());
}

}  // namespace
}  // namespace pg_integrity::test::disposable_workers_test
