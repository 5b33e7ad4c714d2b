// Shell patterns (*, ?, [a-z]), as fnmatch(3) reads them. `*` also matches dots and slashes. A
// pattern always matches a text that is equal to it, whatever characters it has.
#pragma once

#include <fnmatch.h>

#include <string>
#include <vector>

namespace pg_integrity {

inline bool matches_glob(const std::string& pattern, const std::string& text) {
  return pattern == text || ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

/// Like matches_glob(), but ASCII letters match in either case.
inline bool matches_glob_in_any_case(const std::string& pattern, const std::string& text) {
  return pattern == text || ::fnmatch(pattern.c_str(), text.c_str(), FNM_CASEFOLD) == 0;
}

inline bool matches_any_glob(const std::vector<std::string>& patterns, const std::string& text) {
  for (const std::string& pattern : patterns)
    if (matches_glob(pattern, text)) return true;
  return false;
}

}  // namespace pg_integrity
