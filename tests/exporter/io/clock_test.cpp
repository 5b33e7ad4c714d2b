#include "exporter/io/clock.h"

#include <gtest/gtest.h>

#include <ctime>

#include "collectors/base/instant.h"
#include "tests/support/clock.h"

namespace pg_integrity::test::clock_test {
namespace {

std::string utc(const std::string& local, const std::string& zone) {
  const auto moment = SystemClock().to_unix(local, zone);
  return moment ? format_utc(*moment) : "nothing";
}

TEST(ClockZones, AWallReadingIsAMomentInItsZone) {
  EXPECT_EQ(utc("2025-12-03 01:30:00", "UTC"), "2025-12-03T01:30:00Z");
  EXPECT_EQ(utc("2025-12-03 01:30:00", "Europe/Berlin"), "2025-12-03T00:30:00Z");
  EXPECT_EQ(utc("2025-07-03 01:30:00", "Europe/Berlin"), "2025-07-02T23:30:00Z");
  EXPECT_EQ(utc("2025-07-03 01:30:00", "America/New_York"), "2025-07-03T05:30:00Z");
  EXPECT_EQ(utc("2025-07-03 01:30:00", "Asia/Kathmandu"), "2025-07-02T19:45:00Z");
  EXPECT_EQ(utc("2025-07-03 01:30:00", "Etc/GMT+5"), "2025-07-03T06:30:00Z") << "signs of POSIX";
  EXPECT_EQ(utc("1965-01-01 00:00:00", "UTC"), "1965-01-01T00:00:00Z");
  EXPECT_EQ(utc("2024-02-29 23:59:59", "UTC"), "2024-02-29T23:59:59Z");
}

TEST(ClockZones, AReadingInAGapIsTheMomentOfTheJump) {
  EXPECT_EQ(utc("2025-03-30 01:59:59", "Europe/Berlin"), "2025-03-30T00:59:59Z");
  EXPECT_EQ(utc("2025-03-30 02:00:00", "Europe/Berlin"), "2025-03-30T01:00:00Z");
  EXPECT_EQ(utc("2025-03-30 02:59:59", "Europe/Berlin"), "2025-03-30T01:00:00Z");
  EXPECT_EQ(utc("2025-03-30 03:00:00", "Europe/Berlin"), "2025-03-30T01:00:00Z");
  EXPECT_EQ(utc("2025-10-05 02:15:00", "Australia/Lord_Howe"), "2025-10-04T15:30:00Z")
      << "half an hour";
  EXPECT_EQ(utc("2011-12-30 12:00:00", "Pacific/Apia"), "2011-12-30T10:00:00Z") << "a whole day";
}

TEST(ClockZones, AReadingThatOccursTwiceIsTheEarlier) {
  EXPECT_EQ(utc("2025-10-26 01:59:59", "Europe/Berlin"), "2025-10-25T23:59:59Z");
  EXPECT_EQ(utc("2025-10-26 02:30:00", "Europe/Berlin"), "2025-10-26T00:30:00Z");
  EXPECT_EQ(utc("2025-10-26 03:00:00", "Europe/Berlin"), "2025-10-26T02:00:00Z");
  EXPECT_EQ(utc("2025-11-02 01:30:00", "America/New_York"), "2025-11-02T05:30:00Z");
}

TEST(ClockZones, WhatIsNoReadingOrNoZoneIsNoMoment) {
  for (const char* reading : {"", "yesterday", "2025-12-03", "2025-02-29 00:00:00",
                              "2025-13-01 00:00:00", "2025-12-03 24:30:00", "2025-12-03 10:61:00",
                              "2025-12-03 10:00:00 or so", "2025-12-03 10:00:00+02"})
    EXPECT_EQ(utc(reading, "UTC"), "nothing") << reading;
  for (const char* zone : {"", "Mars/Olympus", "europe", "../../../etc/passwd", "/etc/localtime"})
    EXPECT_EQ(utc("2025-12-03 00:00:00", zone), "nothing") << zone;
}

TEST(ClockZones, KnowsWhichZonesThereAre) {
  for (const char* zone : {"UTC", "Europe/Berlin", "Etc/GMT+5"})
    EXPECT_TRUE(is_known_zone(zone)) << zone;
  for (const char* zone : {"", "Mars/Olympus", "Europe", "UTC ", "../../../etc/passwd"})
    EXPECT_FALSE(is_known_zone(zone)) << zone;
}

TEST(FormatUtc, RoundsDownToTheSecond) {
  EXPECT_EQ(format_utc(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_utc(1764720000), "2025-12-03T00:00:00Z");
  EXPECT_EQ(format_utc(1764720000.999), "2025-12-03T00:00:00Z");
  EXPECT_EQ(format_utc(-0.5), "1969-12-31T23:59:59Z");
}

TEST(FormatUtc, SurvivesWhateverATableMayHold) {
  EXPECT_EQ(format_utc(253402300799), "9999-12-31T23:59:59Z");
  EXPECT_EQ(format_utc(253402300800), "10000-01-01T00:00:00Z");
  EXPECT_EQ(format_utc(9224318015999), "294276-12-31T23:59:59Z") << "PostgreSQL's last day";
  EXPECT_EQ(format_utc(-210866803200), "-4713-11-24T00:00:00Z") << "and its first";
  EXPECT_EQ(format_utc(1e300).back(), 'Z');
}

TEST(SystemClockOf, TellsTheTime) {
  const SystemClock clock;
  EXPECT_NEAR(clock.unix_now(), static_cast<double>(std::time(nullptr)), 5);
  Instant last = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const Instant now = clock.now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(SystemClockOf, AnInstantsUnixTimeFollowsTheWallClockOfToday) {
  SteppedClock clock;
  const Instant taken = clock.now();
  clock.advance(Seconds(100));
  EXPECT_NEAR(clock.to_unix(taken), clock.unix_now() - 100, 1);
  clock.step_wall(Seconds(7200));
  EXPECT_NEAR(clock.to_unix(taken), clock.unix_now() - 100, 1) << "it is as old as before";
  EXPECT_NEAR((clock.from_unix(clock.to_unix(taken)) - taken).count(), 0, 0.1);
}

}  // namespace
}  // namespace pg_integrity::test::clock_test
