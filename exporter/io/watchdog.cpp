#include "exporter/io/watchdog.h"

#include <algorithm>
#include <utility>

namespace pg_integrity {

Watchdog::Watchdog(const WaitableClock& clock) : clock_(clock), thread_([this] { watch(); }) {}

Watchdog::~Watchdog() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Watchdog::Guard Watchdog::arm(Instant deadline, std::function<void()> action) {
  const MutexLock lock(mutex_);
  const std::uint64_t id = ++last_id_;
  armed_.emplace(id, Armed{deadline, std::move(action)});
  // Most actions are called off long before their deadline. So the thread is woken only if it would
  // otherwise wake too late.
  if (!wakes_ || deadline < *wakes_) changed_.notify_all();
  return {*this, id};
}

void Watchdog::disarm(std::uint64_t id) {
  const MutexLock lock(mutex_);
  armed_.erase(id);
}

void Watchdog::run_due() {
  wakes_.reset();
  for (auto it = armed_.begin(); it != armed_.end();) {
    if (it->second.deadline <= clock_.now()) {
      it->second.action();  // under the lock, so that disarm() returns only after it
      it = armed_.erase(it);
    } else {
      wakes_ = std::min(wakes_.value_or(it->second.deadline), it->second.deadline);
      ++it;
    }
  }
}

void Watchdog::watch() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    run_due();
    changed_.wait_until(mutex_, clock_, wakes_);
  }
}

}  // namespace pg_integrity
