#include "collectors/base/units.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>

namespace pg_integrity {

namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 6> kDurationUnits{Unit{"ms", 0.001}, {"s", 1},     {"m", 60},
                                             {"h", 3600},       {"d", 86400}, {"w", 604800}};
constexpr std::array<Unit, 9> kSizeUnits{
    Unit{"B", 1},       {"kB", 1e3},           {"MB", 1e6},
    {"GB", 1e9},        {"TB", 1e12},          {"KiB", 1024.0},
    {"MiB", 1048576.0}, {"GiB", 1073741824.0}, {"TiB", 1099511627776.0}};

template <std::size_t N>
std::optional<double> factor_of(const std::array<Unit, N>& units, std::string_view name) {
  const auto found =
      std::find_if(units.begin(), units.end(), [&](const Unit& unit) { return unit.name == name; });
  if (found == units.end()) return std::nullopt;
  return found->factor;
}

/// Takes "12.5" or "3" off the front of `text`. A point has digits on both sides. Signs and
/// exponents are not accepted.
std::optional<double> take_number(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && (std::isdigit(static_cast<unsigned char>(text[length])) != 0 ||
                                  (text[length] == '.' && length > 0)))
    ++length;
  double value = 0;
  const std::string_view digits = text.substr(0, length);
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), value);
  if (digits.empty() || digits.back() == '.' || error != std::errc{} || end != digits.end())
    return std::nullopt;
  text.remove_prefix(length);
  return value;
}

std::string_view take_letters(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && std::isalpha(static_cast<unsigned char>(text[length])) != 0)
    ++length;
  const std::string_view letters = text.substr(0, length);
  text.remove_prefix(length);
  return letters;
}

}  // namespace

std::optional<Seconds> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  Seconds total{0};
  double larger = std::numeric_limits<double>::infinity();
  while (!text.empty()) {
    const auto amount = take_number(text);
    const auto factor = factor_of(kDurationUnits, take_letters(text));
    if (!amount || !factor || *factor >= larger) return std::nullopt;
    total += Seconds(*amount * *factor);
    larger = *factor;
  }
  if (!std::isfinite(total.count())) return std::nullopt;
  return total;
}

std::optional<double> parse_size(std::string_view text) {
  const auto amount = take_number(text);
  while (text.starts_with(' ')) text.remove_prefix(1);
  const auto factor = text.empty() ? std::optional<double>(1) : factor_of(kSizeUnits, text);
  if (!amount || !factor || !std::isfinite(*amount * *factor)) return std::nullopt;
  return *amount * *factor;
}

std::optional<UnixTime> parse_date(std::string_view text) {
  unsigned year = 0;  // unsigned, so that from_chars accepts no minus sign
  unsigned month = 0;
  unsigned day = 0;
  const auto read = [&](std::size_t at, std::size_t length, unsigned& value) {
    const char* first = text.data() + at;
    const auto [end, error] = std::from_chars(first, first + length, value);
    return error == std::errc{} && end == first + length;
  };
  if (text.size() != 10 || text[4] != '-' || text[7] != '-' || !read(0, 4, year) ||
      !read(5, 2, month) || !read(8, 2, day))
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(month), std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return static_cast<UnixTime>(std::chrono::sys_days(date).time_since_epoch().count()) * 86400.0;
}

std::string format_duration(Seconds duration) {
  if (!(std::abs(duration.count()) < 1e14)) return "forever";  // too large for an integer
  double rest = std::round(duration.count() * 1000) / 1000;
  if (rest < 0) return "-" + format_duration(-duration);
  std::string text;
  constexpr std::array<Unit, 4> kParts{Unit{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
  for (const Unit& part : kParts) {
    const double whole = std::floor(rest / part.factor);
    if (whole >= 1) {
      text += std::to_string(static_cast<long long>(whole)) + std::string(part.name);
      rest -= whole * part.factor;
    }
  }
  const auto milliseconds = std::lround(rest * 1000);
  if (milliseconds > 0 && text.empty()) text += std::to_string(milliseconds) + "ms";
  return text.empty() ? "0s" : text;
}

}  // namespace pg_integrity
