#include "exporter/printable.h"

#include <array>
#include <cstdint>
#include <cstdio>

namespace pg_integrity {

namespace {

constexpr std::uint32_t kNotUtf8 = 0xffffffff;

struct Decoded {
  std::uint32_t point = kNotUtf8;
  std::size_t bytes = 1;
};

/// The first character of a text that is not empty.
Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return {};
  std::uint32_t point = first & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {};
    point = point << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  if (point < kSmallest.at(bytes) || point > 0x10ffff || surrogate) return {};
  return {point, bytes};
}

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
    const Decoded next = decode(text);
    if (next.point == kNotUtf8) {
      out += "\xef\xbf\xbd";
    } else if (cannot_be_seen(next.point)) {
      std::array<char, 16> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned>(next.point));
      out += escaped.data();
    } else {
      out += text.substr(0, next.bytes);
    }
    text.remove_prefix(next.bytes);
  }
  return out;
}

std::string clipped(std::string text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0U) == 0x80) --bytes;
  return text.substr(0, bytes) + "…";
}

std::string grouped(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

}  // namespace pg_integrity
