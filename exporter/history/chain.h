// The newest lines of the history, each with the hash of the line before. Old lines fall out at a
// bound, and the first line that is kept still names the hash of the line before it. Not safe on
// several threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporter/history/history_line.h"

namespace pg_integrity {

using KeptLine = std::shared_ptr<const HistoryLine>;

class Chain {
 public:
  static constexpr std::size_t kMostLines = 5000;
  static constexpr std::size_t kMostBytes = std::size_t{2} << 20;

  explicit Chain(std::size_t most_lines = kMostLines, std::size_t most_bytes = kMostBytes)
      : most_lines_(most_lines), most_bytes_(most_bytes) {}

  /// Goes on after these lines, the oldest first. A line that cannot be read is kept as it is, so
  /// that it stays a fault of the chain.
  /// @return the number of the first line that does not fit the line before it.
  std::optional<std::uint64_t> restore(const std::vector<std::string>& lines);

  void append(HistoryEntry entry);

  [[nodiscard]] const std::deque<KeptLine>& lines() const { return lines_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }   ///< of the newest line; 0: none
  [[nodiscard]] const std::string& hash() const { return hash_; }  ///< of the newest line

 private:
  void keep(HistoryLine line);

  const std::size_t most_lines_;
  const std::size_t most_bytes_;
  std::deque<KeptLine> lines_;
  std::size_t bytes_ = 0;
  std::uint64_t number_ = 0;
  std::string hash_ = no_line_before();
};

}  // namespace pg_integrity
