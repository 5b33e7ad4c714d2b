#include "collectors/recovery/backup_schedule.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "collectors/base/errors.h"

namespace pg_integrity {

namespace {

constexpr unsigned kMinutesOfDay = 24 * 60;
constexpr unsigned kDaysOfWeek = 7;
constexpr double kDay = 86400;
constexpr Seconds kClockChange{3600};
constexpr double kClocksDiffer = 60;

std::optional<unsigned> two_digits(std::string_view text, unsigned below) {
  const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  if (text.size() != 2 || !digit(0) || !digit(1)) return std::nullopt;
  const auto number = static_cast<unsigned>((text[0] - '0') * 10 + (text[1] - '0'));
  return number < below ? std::optional(number) : std::nullopt;
}

/// The seconds between one run and the next, over a week.
std::vector<double> gaps(const std::vector<Anchor>& anchors) {
  std::vector<unsigned> minutes;  // of the week
  for (const Anchor& anchor : anchors)
    for (unsigned day = 0; day < kDaysOfWeek; ++day)
      if (anchor.weekday.value_or(day) == day)
        minutes.push_back(day * kMinutesOfDay + anchor.minute);
  std::sort(minutes.begin(), minutes.end());
  minutes.push_back(minutes.front() + kDaysOfWeek * kMinutesOfDay);
  std::vector<double> seconds;
  for (std::size_t i = 1; i < minutes.size(); ++i)
    seconds.push_back(60.0 * (minutes[i] - minutes[i - 1]));
  return seconds;
}

/// Days are counted from 1970-01-01.
bool is_on(const Anchor& anchor, int day) {
  const std::chrono::weekday weekday{std::chrono::sys_days{std::chrono::days{day}}};
  return anchor.weekday.value_or(weekday.c_encoding()) == weekday.c_encoding();
}

/// How many of the first days have it.
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

/// Runs that were due from 1970 until then. Days before yesterday are over in every zone, days
/// after tomorrow have begun in none: only what lies between needs the zone.
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

std::optional<Anchor> parse_anchor(std::string_view text) {
  constexpr std::array<std::string_view, kDaysOfWeek> kWeekdays{"Sun", "Mon", "Tue", "Wed",
                                                                "Thu", "Fri", "Sat"};
  Anchor anchor;
  for (unsigned day = 0; day < kDaysOfWeek; ++day)
    if (text.starts_with(kWeekdays[day]) && text.substr(3).starts_with(' ')) anchor.weekday = day;
  if (anchor.weekday) text.remove_prefix(4);
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = two_digits(text.substr(0, 2), 24);
  const auto minute = two_digits(text.substr(3), 60);
  if (!hour || !minute) return std::nullopt;
  anchor.minute = *hour * 60 + *minute;
  return anchor;
}

Seconds BackupSchedule::longest_gap() const {
  if (every) return *every;
  const auto all = gaps(anchors);
  return Seconds(*std::max_element(all.begin(), all.end()));
}

Seconds BackupSchedule::shortest_gap() const {
  if (every) return *every;
  const auto all = gaps(anchors);
  return Seconds(*std::min_element(all.begin(), all.end()));
}

Seconds BackupSchedule::max_age() const {
  return longest_gap() + grace + (every ? Seconds(0) : kClockChange);
}

double BackupSchedule::missed_runs(Seconds since_success, const Clock& clock) const {
  if (every) return std::max(0.0, std::floor((since_success - grace) / *every));
  const UnixTime now = clock.unix_now();
  const UnixTime success = std::max(kDay, now - since_success.count() + kClocksDiffer);
  return std::max(0.0,
                  due_until(now - grace.count(), *this, clock) - due_until(success, *this, clock));
}

}  // namespace pg_integrity
