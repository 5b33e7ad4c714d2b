// JSON pointers (RFC 6901): the position of a value in a document. Pure; safe on any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pg_integrity {

/// The path to a value: names of members and positions in arrays. An empty path is the whole
/// document.
using JsonPointer = std::vector<std::string>;

/// "/rows/total" -> rows, total. Empty if the text is no JSON pointer.
inline std::optional<JsonPointer> parse_json_pointer(std::string_view text) {
  JsonPointer pointer;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '/') {
      pointer.emplace_back();
      continue;
    }
    if (pointer.empty()) return std::nullopt;
    char letter = text[i];
    if (letter == '~') {
      const char code = ++i < text.size() ? text[i] : '\0';
      if (code != '0' && code != '1') return std::nullopt;
      letter = code == '0' ? '~' : '/';
    }
    pointer.back() += letter;
  }
  return pointer;
}

}  // namespace pg_integrity
