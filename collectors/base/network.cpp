#include "collectors/base/network.h"

#include <charconv>
#include <optional>

namespace pg_integrity {

namespace {

/// Reads the whole text as a number from 0 to `most`.
std::optional<unsigned> number(std::string_view text, unsigned most, int base = 10) {
  unsigned value = 0;  // unsigned, so that from_chars accepts no minus sign
  const auto [end, error] = std::from_chars(text.begin(), text.end(), value, base);
  if (error != std::errc{} || end != text.end() || value > most) return std::nullopt;
  return value;
}

/// Takes the text before the next `separator` off the front of `text`, and the separator with it.
std::string_view take(std::string_view& text, char separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(part.size() == text.size() ? part.size() : part.size() + 1);
  return part;
}

bool is_v4(std::string_view text) {
  int octets = 0;
  if (text.ends_with('.')) return false;
  while (!text.empty() && octets < 5) {
    const std::string_view octet = take(text, '.');
    if (octet.size() > 3 || !number(octet, 255)) return false;
    ++octets;
  }
  return octets == 4;
}

/// Counts how many of the eight groups of an IPv6 address the text has. The last two may be written
/// as an IPv4 address. Empty if the text is no list of groups.
std::optional<int> groups(std::string_view text) {
  int count = 0;
  if (text.ends_with(':')) return std::nullopt;
  while (!text.empty()) {
    const bool last = text.find(':') == std::string_view::npos;
    const std::string_view group = take(text, ':');
    if (last && is_v4(group)) return count + 2;
    if (group.size() > 4 || !number(group, 0xffff, 16)) return std::nullopt;
    ++count;
  }
  return count;
}

bool is_v6(std::string_view text) {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) return groups(text) == 8;
  if (text.substr(0, gap).find('.') != std::string_view::npos) return false;
  const auto before = groups(text.substr(0, gap));
  const auto after = groups(text.substr(gap + 2));
  return before && after && *before + *after < 8;
}

}  // namespace

bool is_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  const bool v6 = is_v6(address);
  if (!v6 && !is_v4(address)) return false;
  return slash == std::string_view::npos || number(text.substr(slash + 1), v6 ? 128 : 32);
}

}  // namespace pg_integrity
