#include "collectors/recovery/catalogue_time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "collectors/base/units.h"

namespace pg_integrity {

namespace {

constexpr double kMilliseconds = 1e11;  // as seconds this would be the year 5138
constexpr double kFarthest = 1e11;      // seconds

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

/// Takes what must come next away from the beginning of the text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  /// A number of exactly so many digits; -1 if there is none.
  int digits(std::size_t count) {
    if (rest_.size() < count) return -1;
    int number = 0;
    for (const char letter : rest_.substr(0, count)) {
      if (!is_digit(letter)) return -1;
      number = number * 10 + (letter - '0');
    }
    rest_.remove_prefix(count);
    return number;
  }
  /// Whether one of these letters came.
  bool any_of(std::string_view letters) {
    if (rest_.empty() || letters.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  double fraction() {
    double value = 0;
    for (double place = 0.1; !rest_.empty() && is_digit(rest_.front()); place /= 10) {
      value += place * (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

struct WallClock {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

std::optional<UnixTime> moment(const WallClock& at, const Clock& clock, const std::string& zone) {
  std::array<char, 96> text{};
  // A leap second is none for the clock; it is the first of the next minute.
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02d %02d:%02d:%02d", at.year, at.month,
                at.day, at.hour, at.minute, std::min(at.second, 59));
  const auto found = clock.to_unix(std::string(text.data()), zone);
  return found && at.second == 60 ? std::optional(*found + 1) : found;
}

/// The seconds east of Greenwich: "Z", "+01:00", "+0100", "+01".
std::optional<double> offset(std::string_view text) {
  if (text == "Z" || text == "z" || text == " UTC") return 0;
  Scanner scan(text);
  const bool west = text.starts_with('-');
  if (!scan.any_of("+-")) return std::nullopt;
  const int hours = scan.digits(2);
  scan.any_of(":");
  const int minutes = scan.rest().empty() ? 0 : scan.digits(2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || !scan.rest().empty())
    return std::nullopt;
  return (west ? -1 : 1) * (hours * 3600.0 + minutes * 60.0);
}

std::optional<UnixTime> iso_time(std::string_view text, const Clock& clock,
                                 const std::string& zone) {
  Scanner scan(text);
  WallClock at;
  at.year = scan.digits(4);
  if (at.year < 0 || !scan.any_of("-")) return std::nullopt;
  at.month = scan.digits(2);
  if (at.month < 0 || !scan.any_of("-")) return std::nullopt;
  at.day = scan.digits(2);
  if (at.day < 0 || !scan.any_of("Tt ")) return std::nullopt;
  at.hour = scan.digits(2);
  if (at.hour < 0 || !scan.any_of(":")) return std::nullopt;
  at.minute = scan.digits(2);
  if (at.minute < 0 || !scan.any_of(":")) return std::nullopt;
  at.second = scan.digits(2);
  if (at.second < 0 || at.second > 60) return std::nullopt;
  const double fraction = scan.any_of(".,") ? scan.fraction() : 0;
  const bool has_zone = !scan.rest().empty();
  const auto east = has_zone ? offset(scan.rest()) : std::optional(0.0);
  const auto found = east ? moment(at, clock, has_zone ? "UTC" : zone) : std::nullopt;
  return found ? std::optional(*found + fraction - *east) : std::nullopt;
}

std::optional<UnixTime> ctime_time(std::string_view text, const Clock& clock,
                                   const std::string& zone) {
  constexpr std::size_t kLength = 24;
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != kLength || text[3] != ' ' || text[7] != ' ') return std::nullopt;
  const std::size_t month = kMonths.find(text.substr(4, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  WallClock at;
  at.month = static_cast<int>(month / 3) + 1;
  Scanner scan(text.substr(8));
  at.day = scan.any_of(" ") ? scan.digits(1) : scan.digits(2);
  if (at.day < 0 || !scan.any_of(" ")) return std::nullopt;
  at.hour = scan.digits(2);
  if (at.hour < 0 || !scan.any_of(":")) return std::nullopt;
  at.minute = scan.digits(2);
  if (at.minute < 0 || !scan.any_of(":")) return std::nullopt;
  at.second = scan.digits(2);
  if (at.second < 0 || at.second > 60 || !scan.any_of(" ")) return std::nullopt;
  at.year = scan.digits(4);
  return at.year < 0 ? std::nullopt : moment(at, clock, zone);
}

std::optional<double> whole_decimal(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

std::optional<UnixTime> epoch(std::optional<double> number) {
  if (!number || !(*number > 0)) return std::nullopt;
  if (*number >= kMilliseconds) *number /= 1000;
  return *number < kFarthest ? number : std::nullopt;
}

/// "10Gi" and "10 GiB" -> "10GiB"; "1.5 GB" -> "1.5GB".
std::string as_ours(std::string_view text) {
  std::string out;
  for (const char letter : text)
    if (letter != ' ') out += letter;
  if (out.ends_with('i')) out += 'B';
  if (out.ends_with("KB")) out.replace(out.size() - 2, 2, "kB");
  return out;
}

}  // namespace

std::optional<UnixTime> catalogue_time(const JsonValue& value, const Clock& clock,
                                       const std::string& zone) {
  if (const auto* number = std::get_if<double>(&value.value)) return epoch(*number);
  const auto* text = std::get_if<std::string>(&value.value);
  if (text == nullptr) return std::nullopt;
  if (const auto found = iso_time(*text, clock, zone)) return found;
  if (const auto found = ctime_time(*text, clock, zone)) return found;
  return epoch(whole_decimal(*text));
}

std::optional<double> catalogue_size(const JsonValue& value, double unit) {
  const auto* text = std::get_if<std::string>(&value.value);
  std::optional<double> number;
  if (const auto* given = std::get_if<double>(&value.value)) number = *given;
  if (text != nullptr) number = whole_decimal(*text);
  if (number) return *number >= 0 ? std::optional(*number * unit) : std::nullopt;
  return text != nullptr ? parse_size(as_ours(*text)) : std::nullopt;
}

}  // namespace pg_integrity
