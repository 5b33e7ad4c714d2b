#include "exporter/evidence/spoken.h"

#include <gtest/gtest.h>

#include <limits>

#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"

namespace pg_integrity::test::spoken_test {
namespace {

TEST(Spoken, NumbersAreGroupedByThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1440), "1,440");
  EXPECT_EQ(grouped(1234567), "1,234,567");
}

TEST(Spoken, ADurationHasItsTwoLargestParts) {
  const auto said = [](double seconds) { return spoken_duration(Seconds(seconds)); };
  EXPECT_EQ(said(0), "0 s");
  EXPECT_EQ(said(0.25), "0.25 s");
  EXPECT_EQ(said(45.9), "45 s");
  EXPECT_EQ(said(60), "1 min");
  EXPECT_EQ(said(23400), "6 h 30 min");
  EXPECT_EQ(said(649941), "7 d 12 h");
  EXPECT_EQ(said(86400 + 5), "1 d") << "the next part is none, and a later one says nothing";
  EXPECT_EQ(said(3599.99), "59 min 59 s") << "it is not rounded up to its limit";
  EXPECT_EQ(said(-90), "-1 min 30 s");
  EXPECT_EQ(said(1e18), "forever");
}

TEST(Spoken, AValueHasTheUnitOfItsName) {
  const auto said = [](const char* name, double value) {
    MetricInfo metric;
    metric.name = name;
    return spoken(metric, value);
  };
  EXPECT_EQ(said("pg_integrity_a_age_seconds", 90000), "1 d 1 h");
  EXPECT_EQ(said("pg_integrity_a_timestamp_seconds", 0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(said("pg_integrity_a_bytes", 0), "0 B");
  EXPECT_EQ(said("pg_integrity_a_bytes", 1.5 * 1024 * 1024 * 1024), "1.5 GiB");
  EXPECT_EQ(said("pg_integrity_a_bytes", 1e30), "8.882e+14 PiB");
  EXPECT_EQ(said("pg_integrity_a_ratio", 0.805), "80.5 %");
  EXPECT_EQ(said("pg_integrity_rows", 12345), "12,345");
  EXPECT_EQ(said("pg_integrity_rows", -12345), "-12,345");
  EXPECT_EQ(said("pg_integrity_rows", 0.125), "0.125");
  EXPECT_EQ(said("pg_integrity_rows", std::numeric_limits<double>::infinity()), "inf");
}

}  // namespace
}  // namespace pg_integrity::test::spoken_test
