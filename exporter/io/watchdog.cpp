#include "exporter/io/watchdog.h"

#include <algorithm>
#include <utility>

namespace pg_integrity {

namespace {

/// Clocks are read anew at least this often: a test's clock may jump.
constexpr Seconds kLongestNap{0.25};

}  // namespace

Watchdog::Watchdog(const Clock& clock) : clock_(clock), thread_([this] { watch(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Watchdog::Guard Watchdog::arm(Instant deadline, std::function<void()> action) {
  std::uint64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = ++last_id_;
    armed_.emplace(id, Armed{deadline, std::move(action)});
  }
  changed_.notify_all();
  return {*this, id};
}

void Watchdog::disarm(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  armed_.erase(id);
}

void Watchdog::watch() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const Instant now = clock_.now();
    Seconds nap = kLongestNap;
    for (auto it = armed_.begin(); it != armed_.end();) {
      if (it->second.deadline <= now) {
        it->second.action();  // under the lock: disarm() must not return while it runs
        it = armed_.erase(it);
      } else {
        nap = std::min(nap, it->second.deadline - now);
        ++it;
      }
    }
    if (armed_.empty())
      changed_.wait(lock, [this] { return stopping_ || !armed_.empty(); });
    else
      changed_.wait_for(lock, nap);
  }
}

}  // namespace pg_integrity
