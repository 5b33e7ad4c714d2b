#include "exporter/http/desk.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace pg_integrity::test::desk_test {
namespace {

TEST(Desks, WorkOffTheirLineInOrderAndBoundIt) {
  std::vector<int> done;
  std::promise<void> begun;
  std::promise<void> go_on;
  std::promise<void> last;
  {
    Desk desk(3);
    ASSERT_TRUE(desk.put([&] {
      begun.set_value();
      go_on.get_future().wait();
    }));
    begun.get_future().wait();
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(desk.put([&done, i] { done.push_back(i); }));
    ASSERT_TRUE(desk.put([&] { last.set_value(); }));
    EXPECT_FALSE(desk.put([&] { done.push_back(9); })) << "the line is full";
    go_on.set_value();
    last.get_future().wait();
  }
  EXPECT_EQ(done, (std::vector<int>{0, 1}));
}

TEST(Desks, SayWhenNobodyComesAnyMore) {
  std::promise<void> idle;
  Desk desk(3, 0, [&] { idle.set_value(); });
  ASSERT_TRUE(desk.put([] {}));
  idle.get_future().wait();
}

}  // namespace
}  // namespace pg_integrity::test::desk_test
