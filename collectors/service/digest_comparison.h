// Several checks of rows against their copy. Each check reads the copy between two readings of the
// rows. Plain values; one thread at a time.
#pragma once

#include "collectors/postgres/row_digest.h"
#include "collectors/service/count_comparison.h"

namespace pg_integrity {

/// A copy that is equal to either of the two readings around it is faithful. It is a different one
/// only if four checks find the same two contents while nobody writes.
class DigestComparison {
 public:
  /// @param reached the copy had come as far as `before` when it was read.
  void add(const Digest& before, const Digest& copy, const Digest& after, bool reached) {
    rows_.add(copy.rows, before.rows, after.rows);
    same_ = copy.same_as(before) || copy.same_as(after);
    still_ = still_ && before.same_as(after) && (looks_ == 0 || copy.same_as(copy_));
    reached_ = reached_ && reached;
    copy_ = copy;
    original_ = after;
    ++looks_;
  }

  /// No further check is needed, or helps.
  [[nodiscard]] bool done() const { return same_ || !reached_ || looks_ == kMost; }
  [[nodiscard]] bool same() const { return same_; }
  /// Not the same, and the copy was behind when it was read.
  [[nodiscard]] bool behind() const { return !same_ && !reached_; }
  [[nodiscard]] bool different() const { return !same_ && reached_ && still_; }
  /// The copy's number of rows lies between those of the readings around it.
  [[nodiscard]] bool same_rows() const { return rows_.difference() == 0; }

  [[nodiscard]] const Digest& original() const { return original_; }
  [[nodiscard]] const Digest& copy() const { return copy_; }

 private:
  static constexpr int kMost = 4;
  CountComparison rows_;
  Digest original_;
  Digest copy_;
  int looks_ = 0;
  bool same_ = false;
  bool still_ = true;
  bool reached_ = true;
};

}  // namespace pg_integrity
