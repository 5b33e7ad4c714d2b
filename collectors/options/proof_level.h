// How far a backup was proved. One scale for everything that reads, writes or demands a level.
#pragma once

#include <cstdint>

namespace pg_integrity {

/// A level includes those below it. The number is what metrics and configurations show.
enum class ProofLevel : std::uint8_t {
  on_record,  ///< somebody says that the backup was made
  plausible,  ///< it is there, does not change any more, and begins and ends as it should
  contents,   ///< its table of contents was read
  decoded,    ///< all of it was decoded
  restored,   ///< it was restored
  compared,   ///< it was restored and compared with what it should hold
};

constexpr int number_of(ProofLevel level) {
  return static_cast<int>(level);
}

/// @param number from 0 to 5; any other is taken for the nearest of them.
constexpr ProofLevel proof_level(int number) {
  constexpr int kHighest = number_of(ProofLevel::compared);
  return static_cast<ProofLevel>(number < 0 ? 0 : number > kHighest ? kHighest : number);
}

}  // namespace pg_integrity
