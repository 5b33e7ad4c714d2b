// A condition that threads wait for until somebody notifies them or a moment of a clock comes. No
// thread of the exporter looks again and again: it waits for one of these. Safe on any thread.
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

/// A clock that the exporter's threads wait by. Collectors know it as a plain Clock: they let time
/// pass by Sources::pause() alone, which ends when the exporter does.
class WaitableClock : public Clock {
 public:
  /// A thread begins or ends a wait for a moment of this clock. A clock that can be set, as that of
  /// tests, notifies these conditions when it is. Called without any lock.
  virtual void wait_begins(Condition& /*condition*/) const {}
  virtual void wait_ends(Condition& /*condition*/) const {}
};

class Condition {
 public:
  /// Wakes all who wait. What they wait for was changed under their mutex before.
  void notify_all();

  /// Unlocks the mutex while it waits. May end early: callers look again at what they wait for.
  void wait(Mutex& mutex) REQUIRES(mutex);
  /// As wait(), and ends when that moment has come; nothing: no moment ends it.
  void wait_until(Mutex& mutex, const WaitableClock& clock, std::optional<Instant> moment)
      REQUIRES(mutex);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t notified_ = 0;  ///< how often; under mutex_
};

}  // namespace pg_integrity
