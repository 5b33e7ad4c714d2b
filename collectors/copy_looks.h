// Several looks at rows and at their copy, each look at the copy between two at the rows. Plain
// values; one thread at a time.
#pragma once

#include <string>

#include "collectors/api_looks.h"

namespace pg_integrity {

/// Rows, and a sum over them that depends on their content and not on their order.
struct Digest {
  double rows = 0;
  std::string content;   ///< empty: rows are counted only
  std::string position;  ///< of the write-ahead log when they were read; not compared

  [[nodiscard]] bool same_as(const Digest& other) const {
    return rows == other.rows && content == other.content;
  }
};

/// What is equal to either of the two looks around it is a faithful copy. It is another one only if
/// four looks find the same two things while nobody writes.
class CopyLooks {
 public:
  /// @param reached the copy had come as far as `before` when it was looked at.
  void add(const Digest& before, const Digest& copy, const Digest& after, bool reached) {
    rows_.add(copy.rows, before.rows, after.rows);
    same_ = copy.same_as(before) || copy.same_as(after);
    still_ = still_ && before.same_as(after) && (looks_ == 0 || copy.same_as(copy_));
    reached_ = reached_ && reached;
    copy_ = copy;
    original_ = after;
    ++looks_;
  }

  /// No further look is needed, or helps.
  [[nodiscard]] bool done() const { return same_ || !reached_ || looks_ == kMost; }
  [[nodiscard]] bool same() const { return same_; }
  /// Not the same, and the copy was behind when it was looked at.
  [[nodiscard]] bool behind() const { return !same_ && !reached_; }
  [[nodiscard]] bool different() const { return !same_ && reached_ && still_; }
  /// The number of rows lies between those around it.
  [[nodiscard]] bool same_rows() const { return rows_.difference() == 0; }

  [[nodiscard]] const Digest& original() const { return original_; }
  [[nodiscard]] const Digest& copy() const { return copy_; }

 private:
  static constexpr int kMost = 4;
  ApiLooks rows_;
  Digest original_;
  Digest copy_;
  int looks_ = 0;
  bool same_ = false;
  bool still_ = true;
  bool reached_ = true;
};

}  // namespace pg_integrity
