// Tells threads that the exporter is to end. It is given once, and waiting threads notice at once.
// Safe on any thread.
#pragma once

#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "exporter/io/condition.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

class StopSignal {
 public:
  void stop();
  [[nodiscard]] bool stopped() const;
  /// Waits until that moment.
  /// @return true at that moment, false as soon as stop() was called.
  bool wait_until(const WaitableClock& clock, Instant moment) const;

 private:
  mutable Mutex mutex_;
  mutable Condition changed_;
  bool stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace pg_integrity
