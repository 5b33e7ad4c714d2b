// Whether something is slow time and again: one slow run among many is no finding.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>

namespace pg_integrity {

/// The newest 20 runs. One thread at a time.
class SlowRuns {
 public:
  void remember(bool slow) {
    slow_.push_back(slow);
    if (slow_.size() > kRemembered) slow_.pop_front();
  }

  /// Slow runs among the newest 20 (0 to 1); runs not yet made count as fast.
  [[nodiscard]] double ratio() const {
    return static_cast<double>(std::count(slow_.begin(), slow_.end(), true)) / kRemembered;
  }

 private:
  static constexpr std::size_t kRemembered = 20;
  std::deque<bool> slow_;  ///< newest last
};

}  // namespace pg_integrity
