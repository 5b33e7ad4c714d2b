#include "exporter/http/desk.h"

#include <sys/resource.h>

#include <exception>
#include <utility>

namespace pg_integrity {

namespace {

constexpr Seconds kIdleAfter{1};

}  // namespace

Desk::Desk(std::size_t longest, int niceness, std::function<void()> when_idle)
    : longest_(longest),
      niceness_(niceness),
      when_idle_(std::move(when_idle)),
      thread_([this] { work(); }) {}

Desk::~Desk() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool Desk::put(std::function<void()> job) {
  {
    const MutexLock lock(mutex_);
    if (ending_ || line_.size() >= longest_) return false;
    line_.push_back(std::move(job));
  }
  changed_.notify_all();
  return true;
}

std::optional<std::function<void()>> Desk::next(bool busy) {
  const auto until = busy ? std::optional(clock_.now() + kIdleAfter) : std::nullopt;
  const MutexLock lock(mutex_);
  while (!ending_ && line_.empty() && (!until || clock_.now() < *until))
    changed_.wait_until(mutex_, clock_, until);
  if (ending_ || line_.empty()) return std::nullopt;
  std::function<void()> job = std::move(line_.front());
  line_.pop_front();
  return job;
}

void Desk::work() {
  if (niceness_ != 0) ::setpriority(PRIO_PROCESS, 0, niceness_);  // of this thread alone
  for (bool busy = false;;) {
    if (const auto job = next(busy && when_idle_)) {
      try {
        (*job)();
      } catch (const std::exception&) {  // no memory; whoever waits for it is hung up on in time
      }
      busy = true;
      continue;
    }
    {
      const MutexLock lock(mutex_);
      if (ending_) return;
    }
    if (std::exchange(busy, false)) when_idle_();
  }
}

}  // namespace pg_integrity
