#include "collectors/recovery/backup_schedule.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "collectors/base/errors.h"

namespace pg_integrity {

namespace {

constexpr unsigned kDaysOfWeek = 7;
constexpr double kDay = 86400;
constexpr double kClocksDiffer = 60;

/// @param day counted from 1970-01-01.
bool is_on(const Anchor& anchor, int day) {
  const std::chrono::weekday weekday{std::chrono::sys_days{std::chrono::days{day}}};
  return anchor.weekday.value_or(weekday.c_encoding()) == weekday.c_encoding();
}

/// How many of the first `days` days since 1970-01-01 have the anchor.
double days_with(const Anchor& anchor, int days) {
  if (!anchor.weekday) return days;
  constexpr int kWeek = kDaysOfWeek;
  int first = 0;
  while (!is_on(anchor, first)) ++first;
  return days <= first ? 0 : (days - first + kWeek - 1) / kWeek;
}

UnixTime moment_of(const Anchor& anchor, int day, const std::string& zone, const Clock& clock) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02u:%02u:00",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), anchor.minute / 60, anchor.minute % 60);
  const auto moment = clock.to_unix(std::string(text.data()), zone);
  if (!moment) throw SourceError(Reason::config, "time zone " + zone + " is not known any more");
  return *moment;
}

/// The number of runs that were due from 1970 until `when`. Days before yesterday are over in every
/// zone, and days after tomorrow have begun in none. Only the three days between them need the
/// zone.
double due_until(UnixTime when, const BackupSchedule& schedule, const Clock& clock) {
  const int today = static_cast<int>(std::floor(when / kDay));
  double runs = 0;
  for (const Anchor& anchor : schedule.anchors) {
    runs += days_with(anchor, today - 1);
    for (const int day : {today - 1, today, today + 1})
      if (is_on(anchor, day) && moment_of(anchor, day, schedule.zone, clock) <= when) ++runs;
  }
  return runs;
}

}  // namespace

double missed_runs(const BackupSchedule& schedule, Seconds since_success, const Clock& clock) {
  if (schedule.every)
    return std::max(0.0, std::floor((since_success - schedule.grace) / *schedule.every));
  const UnixTime now = clock.unix_now();
  const UnixTime success = std::max(kDay, now - since_success.count() + kClocksDiffer);
  return std::max(0.0, due_until(now - schedule.grace.count(), schedule, clock) -
                           due_until(success, schedule, clock));
}

std::optional<UnixTime> next_run(const BackupSchedule& schedule,
                                 const std::optional<UnixTime>& newest, const Clock& clock) {
  if (schedule.every)
    return newest ? std::optional(*newest + schedule.every->count()) : std::nullopt;
  const UnixTime now = clock.unix_now();
  const int today = static_cast<int>(std::floor(now / kDay));
  constexpr int kWeek = kDaysOfWeek;
  std::optional<UnixTime> next;
  for (const Anchor& anchor : schedule.anchors)
    for (int day = today - 1; day <= today + kWeek + 1; ++day) {
      if (!is_on(anchor, day)) continue;
      const UnixTime moment = moment_of(anchor, day, schedule.zone, clock);
      if (moment > now && (!next || moment < *next)) next = moment;
    }
  return next;
}

}  // namespace pg_integrity
