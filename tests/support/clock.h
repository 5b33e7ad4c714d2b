// The real clock, which a test can move. Tests jump ahead instead of waiting. A thread that waits
// for a moment that was jumped over wakes at once.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "exporter/io/clock.h"
#include "exporter/io/condition.h"
#include "exporter/io/mutex.h"

namespace pg_integrity::test {

class SteppedClock final : public WaitableClock {
 public:
  [[nodiscard]] Instant now() const override { return real_.now() + Seconds(ahead_.load()); }
  [[nodiscard]] UnixTime unix_now() const override {
    return real_.unix_now() + ahead_.load() + wall_only_.load();
  }
  [[nodiscard]] std::optional<UnixTime> to_unix(const std::string& local,
                                                const std::string& zone) const override {
    return real_.to_unix(local, zone);
  }
  using Clock::to_unix;

  void wait_begins(Condition& condition) const override {
    {
      const MutexLock lock(mutex_);
      waited_for_.push_back(&condition);
    }
    begun_.notify_all();
  }
  void wait_ends(Condition& condition) const override {
    const MutexLock lock(mutex_);
    waited_for_.erase(std::find(waited_for_.begin(), waited_for_.end(), &condition));
  }

  /// Lets that much time pass.
  void advance(Seconds by) {
    ahead_ = ahead_.load() + by.count();
    const MutexLock lock(mutex_);
    for (Condition* condition : waited_for_) condition->notify_all();
  }
  /// Steps the wall clock alone, as a user or NTP may do.
  void step_wall(Seconds by) { wall_only_ = wall_only_.load() + by.count(); }

  /// Returns once that many threads wait for a moment of this clock.
  void await_waiting(std::size_t threads) const {
    const MutexLock lock(mutex_);
    while (waited_for_.size() < threads) begun_.wait(mutex_);
  }

 private:
  SystemClock real_;
  std::atomic<double> ahead_ = 0;
  std::atomic<double> wall_only_ = 0;
  mutable Mutex mutex_;
  mutable Condition begun_;
  mutable std::vector<Condition*> waited_for_ GUARDED_BY(mutex_);
};

}  // namespace pg_integrity::test
