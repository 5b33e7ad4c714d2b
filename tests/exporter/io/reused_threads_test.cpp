#include "exporter/io/reused_threads.h"

#include <gtest/gtest.h>

#include <future>
#include <set>
#include <thread>

namespace pg_integrity::test::reused_threads_test {
namespace {

std::thread::id thread_of_a_job(ReusedThreads& threads) {
  std::promise<std::thread::id> promise;
  threads.run([&] { promise.set_value(std::this_thread::get_id()); });
  return promise.get_future().get();
}

TEST(ReusedThreads, JobsOneAfterTheOtherShareThem) {
  const auto threads = std::make_shared<ReusedThreads>();
  std::set<std::thread::id> seen;
  for (int i = 0; i < 200; ++i) seen.insert(thread_of_a_job(*threads));
  EXPECT_LT(seen.size(), 100U) << "of 200 jobs";
}

TEST(ReusedThreads, AJobThatHangsHoldsUpNoOther) {
  const auto threads = std::make_shared<ReusedThreads>();
  std::promise<void> go_on;
  std::promise<void> over;
  threads->run([&] {
    go_on.get_future().wait();
    over.set_value();
  });
  for (int i = 0; i < 20; ++i) thread_of_a_job(*threads);
  go_on.set_value();
  over.get_future().wait();
}

}  // namespace
}  // namespace pg_integrity::test::reused_threads_test
