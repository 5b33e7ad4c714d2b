// Several looks at a count that an endpoint gives, each held against what the database counted
// before and after it. Plain values; one thread at a time.
#pragma once

#include <algorithm>

namespace pg_integrity {

/// What lies between the two counts is in flight, not wrong. Rows that come and go between them
/// deceive one look or two: only what misses on the same side each time is a difference.
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

  /// No further look is needed.
  [[nodiscard]] bool done() const { return difference_ == 0 || on_both_sides_ || looks_ == kMost; }
  /// Above the database's counts and then below them: neither equal nor surely wrong.
  [[nodiscard]] bool on_both_sides() const { return on_both_sides_; }
  /// Each look found the same difference.
  [[nodiscard]] bool steady() const { return steady_; }
  /// That of the newest look: how far its count lies outside of what the database counted.
  [[nodiscard]] double difference() const { return difference_; }

 private:
  static constexpr int kMost = 4;
  int looks_ = 0;
  double difference_ = 0;
  bool on_both_sides_ = false;
  bool steady_ = false;
};

}  // namespace pg_integrity
