// The scale of how far a backup was proved. Everything that reads, writes or demands a level uses
// it.
#pragma once

#include <cstdint>

namespace pg_integrity {

/// A level includes all lower ones. Metrics and configurations show its number.
enum class ProofLevel : std::uint8_t {
  on_record,  ///< another program says that the backup was made
  plausible,  ///< it exists, no longer changes, and has the right beginning and end
  contents,   ///< its table of contents was read
  decoded,    ///< all of it was decoded
  restored,   ///< it was restored
  compared,   ///< it was restored and compared with what it should hold
};

constexpr int number_of(ProofLevel level) {
  return static_cast<int>(level);
}

/// @param number from 0 to 5. Any other number gives the nearest level.
constexpr ProofLevel proof_level(int number) {
  constexpr int kHighest = number_of(ProofLevel::compared);
  return static_cast<ProofLevel>(number < 0 ? 0 : number > kHighest ? kHighest : number);
}

}  // namespace pg_integrity
