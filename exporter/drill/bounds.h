// Ends a drill that takes too long, or more of the machine than it may. It checks once a second, on
// a thread of its own. Safe on any thread.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "exporter/io/condition.h"
#include "exporter/io/mutex.h"
#include "exporter/io/stop_signal.h"

namespace pg_integrity {

class Bounds {
 public:
  /// @param time for the whole drill.
  /// @param folder on whose file system room must be left for others: 5 %, at most 5 GiB.
  /// @param end is called once, on the thread of this object, when a bound was passed.
  Bounds(const WaitableClock& clock, Seconds time, std::string folder, std::function<void()> end);
  ~Bounds();
  Bounds(const Bounds&) = delete;
  Bounds& operator=(const Bounds&) = delete;

  /// The bound that was passed, for people; empty if none was.
  [[nodiscard]] std::string passed() const;

 private:
  void watch(const WaitableClock& clock, Instant last);

  const Seconds time_;
  const std::string folder_;
  const std::function<void()> end_;
  mutable Mutex mutex_;
  std::string passed_ GUARDED_BY(mutex_);
  StopSignal done_;
  std::thread thread_;
};

}  // namespace pg_integrity
