#include "collectors/ports/clock.h"

#include <gtest/gtest.h>

#include "collectors/base/instant.h"
#include "tests/support/clock.h"

namespace pg_integrity::test::clock_test {
namespace {

TEST(Clock, ConvertsBetweenInstantsAndUnixTimes) {
  SteppedClock clock;
  const UnixTime now = clock.unix_now();
  EXPECT_NEAR(clock.to_unix(clock.now() - Seconds(3600)), now - 3600, 60);
  EXPECT_NEAR((clock.now() - clock.from_unix(now - 3600)).count(), 3600, 60);
}

}  // namespace
}  // namespace pg_integrity::test::clock_test
