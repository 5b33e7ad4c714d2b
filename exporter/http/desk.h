// A thread that works off a bounded line of jobs, one after the other. The thread of the sockets
// hands it whatever takes longer than a moment. Safe on any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <thread>

#include "collectors/base/thread_annotations.h"
#include "exporter/io/clock.h"
#include "exporter/io/condition.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

class Desk {
 public:
  /// @param longest number of jobs that may wait.
  /// @param niceness of its thread, as nice(1) has it.
  /// @param when_idle runs on the desk's thread when nobody has come for a second. Must not throw.
  /// @throws std::system_error if no thread can be started.
  explicit Desk(std::size_t longest, int niceness = 0, std::function<void()> when_idle = nullptr);
  /// Ends after the job that runs. Those that wait are dropped.
  ~Desk();
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  /// @param job what it throws is lost.
  /// @return false if the line is full. The job is dropped then.
  [[nodiscard]] bool put(std::function<void()> job);

 private:
  void work();
  /// Waits for a job, or for a time without one if `busy`.
  /// @return nothing if there was none.
  std::optional<std::function<void()>> next(bool busy);

  const std::size_t longest_;
  const int niceness_;
  const std::function<void()> when_idle_;
  const SystemClock clock_;
  Mutex mutex_;
  Condition changed_;
  std::deque<std::function<void()>> line_ GUARDED_BY(mutex_);
  bool ending_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace pg_integrity
