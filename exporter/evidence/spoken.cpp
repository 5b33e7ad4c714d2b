#include "exporter/evidence/spoken.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string_view>

#include "exporter/io/clock.h"

namespace pg_integrity {

namespace {

constexpr double kLargestWhole = 1e15;  // above it, a double no longer holds each whole number

struct Part {
  std::string_view unit;
  double seconds;
};

std::string spoken_size(double bytes) {
  constexpr std::array<std::string_view, 6> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  while (std::abs(bytes) >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{:.4g} {}", bytes, kUnits.at(unit));
}

std::string spoken_number(double number) {
  const bool is_count = number == std::floor(number) && std::abs(number) < kLargestWhole;
  if (!is_count) return fmt::format("{:.4g}", number);
  return (number < 0 ? "-" : "") + grouped(static_cast<std::size_t>(std::abs(number)));
}

}  // namespace

std::string grouped(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string spoken_duration(Seconds duration) {
  constexpr std::array<Part, 4> kParts{Part{"d", 86400}, Part{"h", 3600}, Part{"min", 60},
                                       Part{"s", 1}};
  double rest = duration.count();
  if (!(std::abs(rest) < kLargestWhole)) return "forever";
  if (rest < 0) return "-" + spoken_duration(-duration);
  if (rest < 10) return fmt::format("{:.3g} s", rest);
  std::string text;
  int parts = 0;
  for (const Part& part : kParts) {
    const double whole = std::floor(rest / part.seconds);
    rest -= whole * part.seconds;
    if (whole < 1 && text.empty()) continue;
    if (++parts > 2) break;
    if (whole >= 1) text += fmt::format("{}{} {}", text.empty() ? "" : " ", whole, part.unit);
  }
  return text;
}

std::string spoken(const MetricInfo& metric, double value) {
  const std::string_view name = metric.name;
  if (name.ends_with("_timestamp_seconds")) return format_utc(value);
  if (name.ends_with("_seconds")) return spoken_duration(Seconds(value));
  if (name.ends_with("_bytes")) return spoken_size(value);
  if (name.ends_with("_ratio")) return fmt::format("{:.4g} %", value * 100);
  return spoken_number(value);
}

}  // namespace pg_integrity
