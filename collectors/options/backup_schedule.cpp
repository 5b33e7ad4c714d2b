#include "collectors/options/backup_schedule.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "collectors/base/units.h"

namespace pg_integrity {

namespace {

constexpr unsigned kMinutesOfDay = 24 * 60;
constexpr unsigned kDaysOfWeek = 7;
constexpr Seconds kClockChange{3600};
constexpr std::array<std::string_view, kDaysOfWeek> kWeekdays{"Sun", "Mon", "Tue", "Wed",
                                                              "Thu", "Fri", "Sat"};

std::optional<unsigned> two_digits(std::string_view text, unsigned below) {
  const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
  if (text.size() != 2 || !digit(0) || !digit(1)) return std::nullopt;
  const auto number = static_cast<unsigned>((text[0] - '0') * 10 + (text[1] - '0'));
  return number < below ? std::optional(number) : std::nullopt;
}

/// The seconds between consecutive runs, over one week.
std::vector<double> gaps(const std::vector<Anchor>& anchors) {
  std::vector<unsigned> minutes;  // since the week began
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

}  // namespace

std::optional<Anchor> parse_anchor(std::string_view text) {
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

std::string text_of(const Anchor& anchor) {
  std::array<char, 16> clock{};
  std::snprintf(clock.data(), clock.size(), "%02u:%02u", anchor.minute / 60 % 24,
                anchor.minute % 60);
  const std::string day = anchor.weekday ? std::string(kWeekdays.at(*anchor.weekday)) + " " : "";
  return day + clock.data();
}

std::string BackupSchedule::text() const {
  if (every) return "every " + format_duration(*every);
  std::string times;
  for (const Anchor& anchor : anchors) times += (times.empty() ? "at " : ", ") + text_of(anchor);
  return times.empty() ? times : times + " (" + zone + ")";
}

}  // namespace pg_integrity
