#include "exporter/io/stop_signal.h"

namespace pg_integrity {

void StopSignal::stop() {
  {
    const MutexLock lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

bool StopSignal::stopped() const {
  const MutexLock lock(mutex_);
  return stopped_;
}

bool StopSignal::wait_until(const WaitableClock& clock, Instant moment) const {
  const MutexLock lock(mutex_);
  while (!stopped_ && clock.now() < moment) changed_.wait_until(mutex_, clock, moment);
  return !stopped_;
}

}  // namespace pg_integrity
