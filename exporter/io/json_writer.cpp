#include "exporter/io/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <utility>
#include <variant>

#include "collectors/base/utf8.h"

namespace pg_integrity {

namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

void append_escaped(char character, std::string& text) {
  std::array<char, 8> escape{};
  std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(character));
  text += escape.data();
}

void append_text(std::string_view value, std::string& text) {
  text += '"';
  while (!value.empty()) {
    const auto character = first_utf8(value);
    const std::size_t bytes = character ? character->bytes : 1;
    const char first = value.front();
    if (!character)
      text += kReplacement;
    else if (first == '"' || first == '\\')
      text.append("\\").append(1, first);
    else if (character->point < ' ')
      append_escaped(first, text);
    else
      text += value.substr(0, bytes);
    value.remove_prefix(bytes);
  }
  text += '"';
}

void append_number(double value, std::string& text) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  text += std::isfinite(value) ? std::string_view(digits.data(), end) : "null";
}

/// What stands between brackets, separated by commas.
template <typename Items, typename Append>
void append_all(char open, const Items& items, char close, std::string& text, Append append) {
  text += open;
  bool first = true;
  for (const auto& item : items) {
    if (!std::exchange(first, false)) text += ',';
    append(item);
  }
  text += close;
}

}  // namespace

void append_json(const JsonValue& value, std::string& text) {
  if (const auto* flag = std::get_if<bool>(&value.value)) {
    text += *flag ? "true" : "false";
  } else if (const auto* number = std::get_if<double>(&value.value)) {
    append_number(*number, text);
  } else if (const auto* string = std::get_if<std::string>(&value.value)) {
    append_text(*string, text);
  } else if (const auto* elements = std::get_if<JsonValue::Elements>(&value.value)) {
    append_all('[', *elements, ']', text, [&](const JsonValue& one) { append_json(one, text); });
  } else if (const auto* members = std::get_if<JsonValue::Members>(&value.value)) {
    append_all('{', *members, '}', text, [&](const JsonValue::Member& member) {
      append_text(member.first, text);
      text += ':';
      append_json(member.second, text);
    });
  } else {
    text += "null";
  }
}

}  // namespace pg_integrity
