#include "exporter/report/html_escape.h"

#include <fmt/format.h>

#include <algorithm>

#include "exporter/report/printable.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kLongestText = 1'000;  // bytes

}  // namespace

std::string escaped(std::string_view raw) {
  std::string out;
  for (const char c : clipped(printable(raw), kLongestText)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string escaped_lines(std::string_view raw) {
  std::string out;
  while (!raw.empty()) {
    const std::size_t end = std::min(raw.find('\n'), raw.size());
    out += escaped(raw.substr(0, end));
    if (end < raw.size()) out += '\n';
    raw.remove_prefix(std::min(end + 1, raw.size()));
  }
  return out;
}

std::string named(std::string_view name) {
  return fmt::format("<bdi>{}</bdi>", escaped(name));
}

}  // namespace pg_integrity
