// Threads that run one job each, and wait for another one for a while. Nobody waits for them, so a
// job may hang. Safe on any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>

#include "collectors/base/thread_annotations.h"
#include "exporter/io/clock.h"
#include "exporter/io/condition.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

/// Its threads share it, so it is made by std::make_shared.
class ReusedThreads : public std::enable_shared_from_this<ReusedThreads> {
 public:
  /// Runs the job on a thread of its own. The job must not throw, and owns what it needs.
  /// @throws SourceError{limit} if no thread can be started.
  void run(std::function<void()> job);

 private:
  void work(std::function<void()> job);
  /// @return nothing once the thread has waited for long enough.
  std::function<void()> next();

  const SystemClock clock_{};
  Mutex mutex_;
  Condition changed_;
  std::list<std::function<void()>> jobs_ GUARDED_BY(mutex_);  ///< each has a thread that waits
  std::size_t waiting_ GUARDED_BY(mutex_) = 0;                ///< threads without a job
};

}  // namespace pg_integrity
