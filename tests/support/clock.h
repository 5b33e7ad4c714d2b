// The real clock, which a test can move. Tests jump ahead instead of waiting. A thread that waits
// for a moment that was jumped over wakes at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <thread>
#include <utility>
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
      waiting_.emplace_back(std::this_thread::get_id(), &condition);
    }
    begun_.notify_all();
  }
  void wait_ends(Condition& condition) const override {
    const MutexLock lock(mutex_);
    std::erase(waiting_, std::pair(std::this_thread::get_id(), &condition));
  }

  /// Lets that much time pass. No thread counts as waiting before it has looked at the time again.
  void advance(Seconds by) {
    ahead_ = ahead_.load() + by.count();
    const MutexLock lock(mutex_);
    for (const auto& [thread, condition] : std::exchange(waiting_, {})) condition->notify_all();
  }
  /// Steps the wall clock alone, as a user or NTP may do.
  void step_wall(Seconds by) { wall_only_ = wall_only_.load() + by.count(); }

  /// Returns once that many threads wait for a moment of this clock.
  void await_waiting(std::size_t threads) const {
    const MutexLock lock(mutex_);
    while (waiting_.size() < threads) begun_.wait(mutex_);
  }

 private:
  SystemClock real_;
  std::atomic<double> ahead_ = 0;
  std::atomic<double> wall_only_ = 0;
  mutable Mutex mutex_;
  mutable Condition begun_;
  mutable std::vector<std::pair<std::thread::id, Condition*>> waiting_ GUARDED_BY(mutex_);
};

}  // namespace pg_integrity::test
