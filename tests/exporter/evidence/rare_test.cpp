#include "exporter/evidence/rare.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

namespace pg_integrity::test::rare_test {
namespace {

TEST(RareOf, IsNothingUntilItHasAValue) {
  Rare<std::string> rare;
  EXPECT_FALSE(rare);
  EXPECT_EQ(std::optional<std::string>(rare), std::nullopt);
  rare = std::string("lock");
  ASSERT_TRUE(rare);
  EXPECT_EQ(*rare, "lock");
  EXPECT_EQ(std::optional<std::string>(rare), "lock");
  rare.reset();
  EXPECT_FALSE(rare);
}

TEST(RareOf, ACopyHasAValueOfItsOwn) {
  Rare<std::string> first(std::string("lock"));
  Rare<std::string> second(first);
  *second = "gone";
  EXPECT_EQ(*first, "lock");
  first = second;
  *second = "stale";
  EXPECT_EQ(*first, "gone");
  first = Rare<std::string>();
  EXPECT_FALSE(first);
  EXPECT_EQ(*second, "stale");
  const Rare<std::string> taken = std::move(second);
  EXPECT_EQ(*taken, "stale");
}

}  // namespace
}  // namespace pg_integrity::test::rare_test
