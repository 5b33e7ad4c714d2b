// That all is to end: said once, and heard at once by those who let time pass. Safe on any thread.
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
  /// Waits for that moment. @return false at once when it is stopped.
  bool wait_until(const WaitableClock& clock, Instant moment) const;

 private:
  mutable Mutex mutex_;
  mutable Condition changed_;
  bool stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace pg_integrity
