// Several counts of an endpoint, each compared with what the database counted before and after it.
// Plain values; one thread at a time.
#pragma once

#include <algorithm>

namespace pg_integrity {

/// A count between the database's two is in flight, not wrong. Rows that come and go between them
/// can deceive one check or two. So only a count that is off on the same side each time is a
/// difference.
class CountComparison {
 public:
  void add(double count, double before, double after) {
    const double newest =
        count - std::clamp(count, std::min(before, after), std::max(before, after));
    on_both_sides_ = newest * difference_ < 0;
    steady_ = looks_ == 0 || (steady_ && newest == difference_);
    difference_ = newest;
    ++looks_;
  }

  /// No further check is needed.
  [[nodiscard]] bool done() const { return difference_ == 0 || on_both_sides_ || looks_ == kMost; }
  /// The count was on one side of the database's counts and then on the other. It is neither equal
  /// nor surely wrong.
  [[nodiscard]] bool on_both_sides() const { return on_both_sides_; }
  /// Each check found the same difference.
  [[nodiscard]] bool steady() const { return steady_; }
  /// How far the newest count lies outside of the database's counts; negative if it is below them.
  [[nodiscard]] double difference() const { return difference_; }

 private:
  static constexpr int kMost = 4;
  int looks_ = 0;
  double difference_ = 0;
  bool on_both_sides_ = false;
  bool steady_ = false;
};

}  // namespace pg_integrity
