#include "exporter/io/condition.h"

#include <algorithm>

namespace pg_integrity {

namespace {

/// The condition variable uses CLOCK_MONOTONIC, which stands still while the machine is suspended.
/// Instants go on meanwhile. A waiting thread notices that within this time after the machine
/// resumes.
constexpr Seconds kLongestNap{60};

}  // namespace

void Condition::notify_all() {
  const std::lock_guard lock(mutex_);
  ++notified_;
  changed_.notify_all();
}

// The caller holds the mutex that is unlocked and locked again here. clang cannot follow that.
void Condition::wait(Mutex& mutex) NO_THREAD_SAFETY_ANALYSIS {
  {
    std::unique_lock lock(mutex_);
    const std::uint64_t seen = notified_;
    mutex.unlock();
    changed_.wait(lock, [&] { return notified_ != seen; });
  }
  mutex.lock();
}

// As above. A notification between the two locks is not lost, because notifications are counted.
void Condition::wait_until(Mutex& mutex, const WaitableClock& clock,
                           std::optional<Instant> moment) NO_THREAD_SAFETY_ANALYSIS {
  if (!moment) return wait(mutex);
  std::unique_lock lock(mutex_);
  const std::uint64_t seen = notified_;
  mutex.unlock();
  lock.unlock();
  clock.wait_begins(*this);
  lock.lock();
  while (notified_ == seen) {
    const Seconds left = *moment - clock.now();
    if (left.count() <= 0) break;
    changed_.wait_for(lock, std::min(left, kLongestNap));
  }
  lock.unlock();
  clock.wait_ends(*this);
  mutex.lock();
}

}  // namespace pg_integrity
