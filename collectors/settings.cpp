#include "collectors/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <tuple>

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

/// Takes "12.5" or "3" off the front of `text`. Digits on both sides of a point: no sign, no
/// exponent.
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

void append_canonical(std::string& out, const Settings::Value& value);

struct CanonicalWriter {
  std::string& out;
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
  void operator()(double number) const {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    out.append(text.data(), end);
  }
  /// Lengths before texts keep ["a,b"] and ["a", "b"] apart.
  void operator()(const std::string& text) const {
    out += std::to_string(text.size()) + ":" + text;
  }
  void operator()(const std::vector<std::string>& texts) const {
    out += '[';
    for (const std::string& text : texts) (*this)(text);
    out += ']';
  }
  void operator()(const std::vector<Settings>& records) const {
    out += '(';
    for (const Settings& record : records) out += record.canonical();
    out += ')';
  }
};

void append_canonical(std::string& out, const Settings::Value& value) {
  std::visit(CanonicalWriter{out}, value);
}

}  // namespace

void Problems::add(const Place& place, const std::string& message, const std::string& hint) {
  std::string text = place.file.empty() ? "configuration" : place.file;
  if (place.line > 0) text += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  text += ": " + message;
  if (!hint.empty()) text += ". HINT: " + hint;
  lines_.push_back({place, std::move(text)});
}

std::vector<std::string> Problems::lines() const {
  std::vector<const Line*> sorted;
  for (const Line& line : lines_) sorted.push_back(&line);
  std::stable_sort(sorted.begin(), sorted.end(), [](const Line* a, const Line* b) {
    return std::tie(a->place.line, a->place.column) < std::tie(b->place.line, b->place.column);
  });
  std::vector<std::string> texts;
  for (const Line* line : sorted) texts.push_back(line->text);
  // Defaults are merged into each server: what is wrong with them is found more than once.
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  return texts;
}

void Settings::put(std::string_view option, Value value, Place place) {
  entries_.insert_or_assign(std::string(option), Entry{std::move(value), std::move(place)});
}

bool Settings::has(std::string_view option) const {
  return entries_.find(option) != entries_.end();
}

template <typename T>
const T& Settings::get(std::string_view option) const {
  const auto found = entries_.find(option);
  if (found == entries_.end()) throw std::logic_error("no value for option " + std::string(option));
  const T* value = std::get_if<T>(&found->second.value);
  if (value == nullptr) throw std::logic_error("wrong type asked of option " + std::string(option));
  return *value;
}

bool Settings::flag(std::string_view option) const {
  return get<bool>(option);
}

double Settings::number(std::string_view option) const {
  return get<double>(option);
}

Seconds Settings::duration(std::string_view option) const {
  return Seconds(get<double>(option));
}

const std::string& Settings::text(std::string_view option) const {
  return get<std::string>(option);
}

std::optional<double> Settings::maybe_number(std::string_view option) const {
  if (!has(option)) return std::nullopt;
  return number(option);
}

std::optional<Seconds> Settings::maybe_duration(std::string_view option) const {
  if (!has(option)) return std::nullopt;
  return duration(option);
}

std::string Settings::text_or_empty(std::string_view option) const {
  return has(option) ? text(option) : std::string();
}

const std::vector<std::string>& Settings::texts(std::string_view option) const {
  static const std::vector<std::string> none;
  return has(option) ? get<std::vector<std::string>>(option) : none;
}

const std::vector<Settings>& Settings::records(std::string_view option) const {
  static const std::vector<Settings> none;
  return has(option) ? get<std::vector<Settings>>(option) : none;
}

const Settings* Settings::record(std::string_view option) const {
  const std::vector<Settings>& found = records(option);
  return found.empty() ? nullptr : &found.front();
}

void Settings::drop(std::string_view option) {
  if (const auto found = entries_.find(option); found != entries_.end()) entries_.erase(found);
}

const Place& Settings::place(std::string_view option) const {
  const auto found = entries_.find(option);
  return found == entries_.end() || found->second.place.file.empty() ? place_ : found->second.place;
}

void Settings::overlay(const Settings& over, std::span<const Option> options) {
  if (over.place_.line > 0) place_ = over.place_;
  refused_.insert(over.refused_.begin(), over.refused_.end());
  for (const Option& option : options) {
    const auto theirs = over.entries_.find(option.name);
    if (theirs == over.entries_.end()) continue;
    const auto ours = entries_.find(option.name);
    if (option.type == OptionType::record && ours != entries_.end())
      std::get<std::vector<Settings>>(ours->second.value)
          .front()
          .overlay(over.records(option.name).front(), option.members);
    else
      entries_.insert_or_assign(theirs->first, theirs->second);
  }
}

void Settings::for_each_record(std::string_view option,
                               const std::function<void(Settings&)>& visit) {
  const auto found = entries_.find(option);
  if (found == entries_.end()) return;
  if (auto* records = std::get_if<std::vector<Settings>>(&found->second.value))
    for (Settings& record : *records) visit(record);
}

void Settings::for_each_record(std::string_view option,
                               const std::function<void(const Settings&)>& visit) const {
  const auto found = entries_.find(option);
  if (found == entries_.end()) return;
  if (const auto* records = std::get_if<std::vector<Settings>>(&found->second.value))
    for (const Settings& record : *records) visit(record);
}

const Settings::Value& Settings::value(std::string_view option) const {
  const auto found = entries_.find(option);
  if (found == entries_.end()) throw std::logic_error("no value for option " + std::string(option));
  return found->second.value;
}

void Settings::keep_records(std::string_view option,
                            const std::function<bool(const Settings&)>& keep) {
  const auto found = entries_.find(option);
  if (found == entries_.end()) return;
  std::erase_if(std::get<std::vector<Settings>>(found->second.value),
                [&](const Settings& record) { return !keep(record); });
}

std::string Settings::canonical() const {
  std::string out = "{" + name_ + "|";
  for (const auto& [option, entry] : entries_) {
    out += option + "=";
    append_canonical(out, entry.value);
    out += ';';
  }
  return out + "}";
}

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
  unsigned year = 0;  // without a sign, as are the others
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
  if (!(std::abs(duration.count()) < 1e14)) return "forever";  // no whole number would hold it
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
