// Shell patterns (*, ?, [a-z]) as fnmatch(3) reads them; `*` matches dots and slashes too. A name
// matches itself, whatever characters it has.
#pragma once

#include <fnmatch.h>

#include <string>
#include <vector>

namespace pg_integrity {

inline bool matches_glob(const std::string& pattern, const std::string& text) {
  return pattern == text || ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

/// As matches_glob(), with ASCII letters of either case being the same.
inline bool matches_glob_in_any_case(const std::string& pattern, const std::string& text) {
  return pattern == text || ::fnmatch(pattern.c_str(), text.c_str(), FNM_CASEFOLD) == 0;
}

inline bool matches_any_glob(const std::vector<std::string>& patterns, const std::string& text) {
  for (const std::string& pattern : patterns)
    if (matches_glob(pattern, text)) return true;
  return false;
}

}  // namespace pg_integrity
