#include "exporter/io/reused_threads.h"

#include <system_error>
#include <thread>
#include <utility>

#include "collectors/base/errors.h"

namespace pg_integrity {

namespace {

constexpr Seconds kWaitsForJobs{60};
constexpr std::size_t kMostWaiting = 4;

}  // namespace

void ReusedThreads::run(std::function<void()> job) {
  {
    const MutexLock lock(mutex_);
    if (jobs_.size() < waiting_) {
      jobs_.push_back(std::move(job));
      changed_.notify_all();
      return;
    }
  }
  try {
    std::thread([self = shared_from_this(), job = std::move(job)]() mutable {
      self->work(std::move(job));
    }).detach();
  } catch (const std::system_error&) {
    throw SourceError(Reason::limit, "no thread can be started");
  }
}

void ReusedThreads::work(std::function<void()> job) {
  while (job) {
    job();
    job = nullptr;  // its captures end before the wait
    job = next();
  }
}

std::function<void()> ReusedThreads::next() {
  const Instant until = clock_.now() + kWaitsForJobs;
  const MutexLock lock(mutex_);
  if (waiting_ >= kMostWaiting) return nullptr;
  ++waiting_;
  while (jobs_.empty() && clock_.now() < until) changed_.wait_until(mutex_, clock_, until);
  --waiting_;
  if (jobs_.empty()) return nullptr;
  std::function<void()> job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

}  // namespace pg_integrity
