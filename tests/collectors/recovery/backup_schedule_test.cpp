#include "collectors/recovery/backup_schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <random>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "tests/support/clock.h"
#include "tests/support/cluster.h"
#include "tests/support/failure.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::backup_schedule_test {
namespace {

constexpr double kHour = 3600;
constexpr double kDay = 24 * kHour;

BackupSchedule at(const std::vector<std::string>& texts, const std::string& zone,
                  Seconds grace = Seconds(kHour / 2)) {
  BackupSchedule schedule{{}, {}, zone, grace};
  for (const std::string& text : texts) schedule.anchors.push_back(parse_anchor(text).value());
  return schedule;
}

/// Runs missed between a success and `now`. Both are times of a clock in the schedule's zone.
double missed(const BackupSchedule& schedule, const std::string& success, const std::string& now) {
  SteppedClock clock;
  const auto moment = [&](const std::string& local) {
    return clock.to_unix(local, schedule.zone).value();
  };
  clock.step_wall(Seconds(moment(now) - clock.unix_now()));
  return missed_runs(schedule, Seconds(moment(now) - moment(success)), clock);
}

TEST(BackupAnchor, IsATimeOfTheDayOrTheWeek) {
  EXPECT_EQ(parse_anchor("03:07").value().minute, 187U);
  EXPECT_FALSE(parse_anchor("03:07").value().weekday);
  EXPECT_EQ(parse_anchor("Sun 23:59").value().weekday, 0U);
  EXPECT_EQ(parse_anchor("Sat 00:00").value().weekday, 6U);
  for (const char* text : {"", "3:00", "03:60", "24:00", "03:00:00", "-3:00", "Sun", "Sun 3:00",
                           "sun 03:00", "Sunday 03:00", " 03:00", "03:00 ", "0300"})
    EXPECT_FALSE(parse_anchor(text)) << text;
}

TEST(AnchoredSchedule, ARunIsMissedOnceItsGraceIsOver) {
  const BackupSchedule schedule = at({"03:00", "15:00"}, "Europe/Berlin");
  const auto missed_at = [&](const std::string& now) {
    return missed(schedule, "2026-06-01 03:10:00", now);
  };
  EXPECT_EQ(missed_at("2026-06-01 03:11:00"), 0);
  EXPECT_EQ(missed_at("2026-06-01 15:29:00"), 0);
  EXPECT_EQ(missed_at("2026-06-01 15:31:00"), 1);
  EXPECT_EQ(missed_at("2026-06-02 03:29:00"), 1);
  EXPECT_EQ(missed_at("2026-06-02 03:31:00"), 2);
  EXPECT_EQ(missed_at("2026-06-11 03:31:00"), 20);
}

TEST(AnchoredSchedule, ASuccessIsOfTheAnchorBeforeIt) {
  const BackupSchedule schedule = at({"03:00"}, "UTC", Seconds(4 * kHour));
  EXPECT_EQ(missed(schedule, "2026-06-01 02:58:00", "2026-06-01 08:00:00"), 1) << "one by hand";
  EXPECT_EQ(missed(schedule, "2026-06-01 02:59:30", "2026-06-01 08:00:00"), 0) << "clocks differ";
  EXPECT_EQ(missed(schedule, "2026-06-01 06:59:00", "2026-06-01 08:00:00"), 0) << "late, but there";
}

TEST(AnchoredSchedule, AShortDayAndALongOneHaveOneRunEach) {
  const BackupSchedule schedule = at({"02:30"}, "Europe/Berlin");
  // 2026-03-29 has no 02:30. The run is due when the clock is put forward, at 03:00.
  EXPECT_EQ(missed(schedule, "2026-03-28 02:40:00", "2026-03-29 03:29:00"), 0);
  EXPECT_EQ(missed(schedule, "2026-03-28 02:40:00", "2026-03-29 03:31:00"), 1);
  EXPECT_EQ(missed(schedule, "2026-03-28 02:40:00", "2026-03-30 02:59:00"), 1);
  EXPECT_EQ(missed(schedule, "2026-03-28 02:40:00", "2026-03-30 03:01:00"), 2);
  // 2026-10-25 has 02:30 twice, and the first one counts.
  EXPECT_EQ(missed(schedule, "2026-10-24 02:40:00", "2026-10-25 03:01:00"), 1);
  EXPECT_EQ(missed(schedule, "2026-10-25 02:40:00", "2026-10-26 02:59:00"), 0);
  EXPECT_EQ(missed(schedule, "2026-10-25 02:40:00", "2026-10-26 03:01:00"), 1);
}

TEST(AnchoredSchedule, TheZoneTellsWhenItIsDue) {
  SteppedClock clock;
  const UnixTime now = clock.to_unix("2026-01-15 07:00:00", "UTC").value();
  clock.step_wall(Seconds(now - clock.unix_now()));
  const Seconds since(6 * kHour);  // 01:00 UTC
  EXPECT_EQ(missed_runs(at({"03:00"}, "UTC"), since, clock), 1);
  EXPECT_EQ(missed_runs(at({"03:00"}, "Europe/Berlin"), since, clock), 1) << "at 02:00 UTC";
  EXPECT_EQ(missed_runs(at({"03:00"}, "America/New_York"), since, clock), 0) << "at 08:00 UTC";
  EXPECT_EQ(missed_runs(at({"03:00"}, "Asia/Tokyo"), since, clock), 0) << "at 18:00 UTC";
  EXPECT_EQ(failure([&] {
              static_cast<void>(missed_runs(at({"03:00"}, "Mars/Olympus"), since, clock));
            }).reason(),
            Reason::config);
}

TEST(AnchoredSchedule, AWeeklyRunIsDueOnItsDay) {
  const BackupSchedule schedule = at({"Sun 03:00"}, "UTC");
  EXPECT_EQ(missed(schedule, "2026-06-07 03:10:00", "2026-06-14 03:29:00"), 0);  // both Sundays
  EXPECT_EQ(missed(schedule, "2026-06-07 03:10:00", "2026-06-14 03:31:00"), 1);
  EXPECT_EQ(missed(schedule, "2026-06-07 03:10:00", "2026-06-21 03:31:00"), 2);
  EXPECT_EQ(missed(schedule, "2026-06-10 12:00:00", "2026-06-14 03:31:00"), 1);
}

/// The same number, counted day by day.
double counted_singly(const BackupSchedule& schedule, UnixTime success, UnixTime now,
                      const Clock& clock) {
  double runs = 0;
  for (double day = std::floor(success / kDay) - 3; day * kDay < now + 3 * kDay; ++day) {
    const auto weekday = static_cast<unsigned>(std::fmod(day + 4, 7));  // 1970-01-01: a Thursday
    const std::string date = format_utc(day * kDay).substr(0, 10);
    for (const Anchor& anchor : schedule.anchors) {
      char time[16];
      std::snprintf(time, sizeof time, " %02u:%02u:00", anchor.minute / 60 % 24,
                    anchor.minute % 60);
      const UnixTime due = clock.to_unix(date + time, schedule.zone).value();
      if (anchor.weekday.value_or(weekday) == weekday && due > success + 60 &&
          due <= now - schedule.grace.count())
        ++runs;
    }
  }
  return runs;
}

TEST(AnchoredSchedule, CountsAsOneWouldDayByDay) {
  std::mt19937 random(4);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same ones each time
  const auto below = [&](unsigned limit) { return static_cast<unsigned>(random()) % limit; };
  for (const char* zone : {"Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Etc/GMT+12",
                           "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"})
    for (int i = 0; i < 40; ++i) {
      SteppedClock clock;
      const UnixTime success = 1.3e9 + below(400'000'000) + 0.25;
      const UnixTime now = success + below(i % 2 == 0 ? 200'000 : 20'000'000) + 0.5;
      clock.step_wall(Seconds(now - clock.unix_now()));
      BackupSchedule schedule{{}, {}, zone, Seconds(60.0 * below(600))};
      for (unsigned left = 1 + below(3); left > 0; --left)
        schedule.anchors.push_back(
            {below(2) == 0 ? std::nullopt : std::optional(below(7)), below(1440)});
      EXPECT_EQ(missed_runs(schedule, Seconds(clock.unix_now() - success), clock),
                counted_singly(schedule, success, clock.unix_now(), clock))
          << zone << " " << format_utc(success) << " to " << format_utc(now);
    }
}

TEST(AnchoredSchedule, ASuccessOfLongAgoIsNoTrouble) {
  SteppedClock clock;
  const double before_christ = 6700 * 365.0 * kDay;
  const double days = std::floor(clock.unix_now() / kDay);
  EXPECT_NEAR(missed_runs(at({"03:00"}, "UTC"), Seconds(before_christ), clock), days, 2);
}

TEST(AnchoredSchedule, AgeLimitAndGraceFollowFromTheTimes) {
  const BackupSchedule twice = at({"09:00", "03:00"}, "UTC");
  EXPECT_EQ(twice.shortest_gap(), Seconds(6 * kHour));
  EXPECT_EQ(twice.longest_gap(), Seconds(18 * kHour));
  EXPECT_EQ(twice.max_age(), Seconds(19.5 * kHour)) << "with half an hour of grace";
  EXPECT_EQ(at({"03:00"}, "UTC").longest_gap(), Seconds(kDay));
  EXPECT_EQ(at({"Sun 03:00"}, "UTC").longest_gap(), Seconds(7 * kDay));
  EXPECT_EQ(at({"Sat 23:00", "Sun 01:00"}, "UTC").shortest_gap(), Seconds(2 * kHour));
}

TEST(AnchoredSchedule, JudgesAHistoryTable) {
  const Database db;
  db.run("CREATE TABLE history (at timestamptz, what text)");
  const auto look_with = [&](const std::string& age, const std::string& grace) {
    db.run("TRUNCATE history; INSERT INTO history VALUES (now() - interval '" + age + "', 'auto')");
    // The time that a clock in Kolkata showed two hours ago.
    const std::string due = db.ask(
        "SELECT to_char((now() - interval '2 hours') AT TIME ZONE 'Asia/Kolkata', 'HH24:MI')");
    return look(
        one_server(db.dsn(),
                   "[[server.backups]]\nname = \"log\"\ntable = { table = \"history\", time "
                   "= \"at\", kind = \"what\" }\nkinds = { auto = { values = [\"auto\"], at "
                   "= [\"" +
                       due + "\"], zone = \"Asia/Kolkata\", grace = \"" + grace + "\" } }\n",
                   "backups"));
  };
  Findings found = look_with("3 hours", "1h");
  EXPECT_EQ(found.value("pg_integrity_backup_missed_runs"), 1);
  EXPECT_EQ(found.value("pg_integrity_backup_max_age_seconds"), 26 * kHour);
  EXPECT_EQ(found.violated(), "backups/log.auto");
  EXPECT_EQ(look_with("3 hours", "3h").value("pg_integrity_backup_missed_runs"), 0);
  found = look_with("1 hour", "1h");
  EXPECT_EQ(found.value("pg_integrity_backup_missed_runs"), 0);
  EXPECT_EQ(found.state("backups/log.auto"), State::proven);
  EXPECT_EQ(look_with("3 days 1 hour", "1h").value("pg_integrity_backup_missed_runs"), 3);
}

}  // namespace
}  // namespace pg_integrity::test::backup_schedule_test
