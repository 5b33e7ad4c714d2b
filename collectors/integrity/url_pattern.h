// URLs as RFC 3986 writes them, as far as it matters for values that a database keeps. Pure
// functions.
#pragma once

#include <string>
#include <vector>

namespace pg_integrity {

/// A URL's scheme (RFC 3986, section 3.1), in lower case.
inline bool is_url_scheme(const std::string& text) {
  return !text.empty() && text.front() >= 'a' && text.front() <= 'z' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") == std::string::npos;
}

/// A regular expression of PostgreSQL that matches a URL; to be matched without regard to case. A
/// URL has one of the schemes, a host if the scheme is http or https, and no character that would
/// end it in a page.
inline std::string url_pattern(const std::vector<std::string>& schemes) {
  const std::string end = "[:space:][:cntrl:]\"<>]";  // of a bracket expression
  std::string pattern;
  for (const std::string& scheme : schemes) {
    pattern += pattern.empty() ? "^(" : "|";
    for (const char c : scheme) {
      const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      pattern += letter_or_digit ? std::string(1, c) : "[" + std::string(1, c) + "]";
    }
    const bool has_host = scheme == "http" || scheme == "https";
    if (has_host)
      pattern.append("://[^/?#").append(end).append("+([/?#][^").append(end).append("*)?");
    else
      pattern.append(":[^").append(end).append("+");
  }
  return pattern + ")$";
}

}  // namespace pg_integrity
