// A condition that threads wait for until somebody notifies them or a moment of a clock comes.
// Threads of the exporter wait for a Condition instead of polling. Safe on any thread.
//
//   MutexLock lock(mutex_);
//   while (!stopping_ && clock_.now() < due) changed_.wait_until(mutex_, clock_, due);
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "collectors/ports/clock.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

class Condition;

/// A clock that the exporter's threads wait by. Collectors see it as a plain Clock. They let time
/// pass only by Sources::pause(), which ends when the exporter ends.
class WaitableClock : public Clock {
 public:
  /// Called when a thread begins (ends) to wait for a moment of this clock. A settable clock, such
  /// as that of tests, must notify the waiting conditions when it is set. The caller holds no lock.
  virtual void wait_begins(Condition& /*condition*/) const {}
  virtual void wait_ends(Condition& /*condition*/) const {}
};

class Condition {
 public:
  /// Wakes all waiting threads. The caller has changed what they wait for, under their mutex,
  /// before.
  void notify_all();

  /// Unlocks the mutex while it waits. It may return early, so callers check again what they wait
  /// for.
  void wait(Mutex& mutex) REQUIRES(mutex);
  /// As wait(), and also returns when that moment has come. Without a moment only a notification
  /// ends it.
  void wait_until(Mutex& mutex, const WaitableClock& clock, std::optional<Instant> moment)
      REQUIRES(mutex);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t notified_ = 0;  ///< number of notifications; under mutex_
};

}  // namespace pg_integrity
