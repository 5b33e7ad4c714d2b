// Holds an exported history against a hash that somebody filed. A pure function.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pg_integrity {

enum class Fits : std::uint8_t {
  yes,
  no,       ///< a line was changed, removed or added, up to the filed one
  unknown,  ///< the export does not reach back to the filed line, or no hash was given
};

struct Verification {
  Fits fits = Fits::no;
  std::string text;  ///< what was found, and where
};

/// @param exported lines of JSON, each with the hash of the line before.
/// @param filed the hash that was filed, as 64 hexadecimal digits. Empty: the lines are only held
/// against each other.
/// @param number of the line that the hash was of; nothing: it was not filed.
Verification verify_history(std::string_view exported, const std::string& filed,
                            std::optional<std::uint64_t> number);

}  // namespace pg_integrity
