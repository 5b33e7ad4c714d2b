#include "exporter/io/clock.h"

#include <date/date.h>
#include <date/tz.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <sstream>

namespace pg_integrity {

namespace {

double read_clock(clockid_t id) {
  timespec time{};
  ::clock_gettime(id, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

const date::time_zone* zone_named(const std::string& zone) {
  try {
    return date::locate_zone(zone);
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

}  // namespace

Instant SystemClock::now() const {
  return Instant(Seconds(read_clock(CLOCK_BOOTTIME)));
}

UnixTime SystemClock::unix_now() const {
  return read_clock(CLOCK_REALTIME);
}

std::optional<UnixTime> SystemClock::to_unix(const std::string& local,
                                             const std::string& zone) const {
  const date::time_zone* rules = zone_named(zone);
  date::local_seconds wall;
  std::istringstream in(local);
  in >> date::parse("%F %T", wall);
  if (rules == nullptr || in.fail() || in.peek() != std::istringstream::traits_type::eof())
    return std::nullopt;
  // choose::earliest also maps a local time in a gap (clocks put forward) to the moment of the
  // jump.
  const auto moment = rules->to_sys(wall, date::choose::earliest);
  return static_cast<UnixTime>(moment.time_since_epoch().count());
}

bool is_known_zone(const std::string& zone) {
  return zone_named(zone) != nullptr;
}

std::string format_utc(UnixTime time) {
  // date::format is of no use here. Its years end with 32767, and PostgreSQL's end with 294276.
  constexpr double kFurthest = 1e15;
  const auto moment = static_cast<std::time_t>(std::clamp(std::floor(time), -kFurthest, kFurthest));
  std::tm parts{};
  ::gmtime_r(&moment, &parts);
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text.data();
}

}  // namespace pg_integrity
