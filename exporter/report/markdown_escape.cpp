#include "exporter/report/markdown_escape.h"

#include <algorithm>
#include <cctype>

#include "exporter/report/printable.h"

namespace pg_integrity {

namespace {

bool starts_as(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(), [](char a, char b) {
           return a == std::tolower(static_cast<unsigned char>(b));
         });
}

}  // namespace

std::string markdown(std::string_view raw) {
  constexpr std::string_view kMarkup = "\\`*_{}[]<>()#+!|~&$";
  const std::string text = printable(raw);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = std::string_view(text).substr(i);
    if (starts_as(rest, "www.")) {
      out += text.substr(i, 3) + "\\.";
      i += 3;
      continue;
    }
    if (kMarkup.find(text[i]) != std::string_view::npos || rest.starts_with("://")) out += '\\';
    out += text[i];
  }
  return out;
}

}  // namespace pg_integrity
