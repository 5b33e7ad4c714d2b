// Text of a watched database on its way to a reader's terminal. A pure function.
#pragma once

#include <string>

namespace pg_integrity {

/// Control characters of names, of one byte or two (U+0080 to U+009F), must not move the reader's
/// cursor or forge lines: each becomes a question mark.
inline std::string plain(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : '\0');
    const bool c1 = byte == 0xc2 && next >= 0x80 && next <= 0x9f;
    out += c1 || byte < 0x20 || byte == 0x7f ? '?' : text[i];
    if (c1) ++i;
  }
  return out;
}

}  // namespace pg_integrity
