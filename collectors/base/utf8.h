// The only UTF-8 decoder of the project. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pg_integrity {

struct Utf8Character {
  std::uint32_t point = 0;  ///< its code point
  std::size_t bytes = 1;    ///< its length, 1 to 4
};

/// Decodes the first character of a text, which must not be empty. Empty if the text does not begin
/// with a valid one. Overlong forms, surrogates and code points above U+10FFFF are not UTF-8.
std::optional<Utf8Character> first_utf8(std::string_view text);

}  // namespace pg_integrity
