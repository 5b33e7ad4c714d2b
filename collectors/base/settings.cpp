#include "collectors/base/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <tuple>

namespace pg_integrity {

namespace {

void append_canonical(std::string& out, const Settings::Value& value);

struct CanonicalWriter {
  std::string& out;
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
  void operator()(double number) const {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    out.append(text.data(), end);
  }
  /// The length before each text keeps ["a,b"] and ["a", "b"] apart.
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
  // The defaults are merged into each server, so a fault in them is found once per server.
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

}  // namespace pg_integrity
