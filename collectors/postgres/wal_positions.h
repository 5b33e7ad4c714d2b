// A history of WAL positions, which converts a position to a moment. Examples are the positions
// that a standby has replayed and that the archive holds. Used by one thread at a time.
#pragma once

#include <deque>
#include <optional>

#include "collectors/base/instant.h"

namespace pg_integrity {

/// The end of the WAL at a moment. Positions are bytes since the beginning of the WAL, and only
/// grow.
struct WalPosition {
  Instant when{};
  double end = 0;
  /// Bounds of a snapshot taken before `when`: the oldest running transaction, and one past the
  /// newest that had ended. If they are equal, no transaction was running.
  double oldest = 0;
  double next = 0;
};

class WalPositions {
 public:
  void add(const WalPosition& position) {
    if (!known_.empty() && position.end < known_.back().end) known_.clear();  // another timeline
    known_.push_back(position);
    if (known_.size() > kMost) known_.pop_front();
  }

  /// The newest moment at which the end of the WAL was not beyond the position; empty if none is
  /// known.
  [[nodiscard]] std::optional<Instant> moment_of(double position) const {
    const auto found = newest_within(position);
    return found ? std::optional(known_[*found].when) : std::nullopt;
  }

  /// The newest moment at which no transaction had committed beyond the position. It may be newer
  /// than moment_of(), because an idle server writes to its WAL, too.
  [[nodiscard]] std::optional<Instant> committed_within(double position) const {
    const auto found = newest_within(position);
    if (!found) return std::nullopt;
    const WalPosition& then = known_[*found];
    Instant moment = then.when;
    if (then.oldest != then.next) return moment;
    for (std::size_t i = *found + 1; i < known_.size() && known_[i].next == then.next; ++i)
      moment = known_[i].when;
    return moment;
  }

 private:
  static constexpr std::size_t kMost = 10000;  // a week, with one position per minute

  [[nodiscard]] std::optional<std::size_t> newest_within(double position) const {
    for (std::size_t i = known_.size(); i > 0; --i)
      if (known_[i - 1].end <= position) return i - 1;
    return std::nullopt;
  }

  std::deque<WalPosition> known_;  ///< the newest last
};

}  // namespace pg_integrity
