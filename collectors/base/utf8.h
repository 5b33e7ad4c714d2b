// The one UTF-8 decoder. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pg_integrity {

struct Utf8Character {
  std::uint32_t point = 0;  ///< its code point
  std::size_t bytes = 1;    ///< that it takes, 1 to 4
};

/// The first character of a text that is not empty. Nothing if the text does not begin with one:
/// overlong forms, surrogates and what lies above U+10FFFF are no UTF-8.
std::optional<Utf8Character> first_utf8(std::string_view text);

}  // namespace pg_integrity
