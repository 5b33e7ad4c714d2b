#include "exporter/report/printable.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>

#include "collectors/base/utf8.h"

namespace pg_integrity {

namespace {

bool is_between(std::uint32_t point, std::uint32_t first, std::uint32_t last) {
  return point >= first && point <= last;
}

bool cannot_be_seen(std::uint32_t point) {
  return point < 0x20 || is_between(point, 0x7f, 0x9f) || point == 0xad || point == 0x61c ||
         point == 0x180e || is_between(point, 0x200b, 0x200f) ||
         is_between(point, 0x2028, 0x202e) || is_between(point, 0x2060, 0x206f) ||
         point == 0xfeff || is_between(point, 0xfff9, 0xfffb) ||
         is_between(point, 0xe0000, 0xe007f);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::optional<Utf8Character> next = first_utf8(text);
    if (!next) {
      out += "\xef\xbf\xbd";
    } else if (cannot_be_seen(next->point)) {
      std::array<char, 16> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned>(next->point));
      out += escaped.data();
    } else {
      out += text.substr(0, next->bytes);
    }
    text.remove_prefix(next ? next->bytes : 1);
  }
  return out;
}

std::string clipped(std::string text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0U) == 0x80) --bytes;
  return text.substr(0, bytes) + "…";
}

}  // namespace pg_integrity
