// Whether something is slow time and again. One slow run among many is no finding.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>

#include "collectors/base/batch.h"
#include "collectors/base/instant.h"

namespace pg_integrity {

/// The newest 20 runs of one thing, as far as they are evidence. Runs in a batch that was not
/// accepted are forgotten, and the runs of an earlier process count. One thread at a time.
class SlowRuns {
 public:
  /// To be called before the runs of a step.
  /// @param accepted the ratio that is known. If it comes from an earlier process, it tells how
  /// many runs were slow, but not which. They are taken for the newest.
  void begin(const std::optional<Sample>& accepted) {
    ran_ = false;
    std::erase_if(known_, [&](const auto& other) {
      return !accepted || other.first != accepted->observed_at;
    });
    if (!known_.empty()) {
      slow_ = known_.begin()->second;
      return;
    }
    const double ratio = accepted ? std::clamp(accepted->value, 0.0, 1.0) : 0;
    slow_.assign(static_cast<std::size_t>(std::lround(ratio * kRemembered)), true);
  }

  void remember(bool slow) {
    ran_ = true;
    slow_.push_back(slow);
    if (slow_.size() > kRemembered) slow_.pop_front();
  }

  /// Whether the step had a run that counts.
  [[nodiscard]] bool ran() const { return ran_; }

  /// Slow runs among the newest 20 (0 to 1); runs not yet made count as fast.
  [[nodiscard]] double ratio() const {
    return static_cast<double>(std::count(slow_.begin(), slow_.end(), true)) / kRemembered;
  }

  /// To be called after the runs of a step.
  /// @param observed_at the time of the evidence that the ratio becomes if it is accepted.
  void end(Instant observed_at) { known_.insert_or_assign(observed_at, slow_); }

 private:
  using Runs = std::deque<bool>;  ///< newest last

  static constexpr std::size_t kRemembered = 20;
  Runs slow_;
  bool ran_ = false;
  std::map<Instant, Runs> known_;  ///< by the time of the evidence that they became
};

}  // namespace pg_integrity
