// A lane is one thread that makes the steps of its tasks as they become due. It rests after each
// step, so that the server is not kept busy for more than its share. Each server has a quick lane,
// a scan lane, and a lane that reads backups.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "exporter/io/condition.h"
#include "exporter/io/mutex.h"
#include "exporter/scheduler/task.h"

namespace pg_integrity {

/// The share of one session's time that the lanes of a server may use together. Quick work never
/// waits for scans. Scans wait for quick work, which uses at most half of the share. Safe on any
/// thread.
class LoadShare {
 public:
  /// @param share of one session's time, above 0. From 1 on, the lanes do not rest.
  explicit LoadShare(double share) : share_(share) {}

  void spent(bool quick, Seconds busy, Instant now);
  [[nodiscard]] Instant free_at(bool quick) const;

 private:
  const double share_;
  mutable Mutex mutex_;
  Instant quick_free_ GUARDED_BY(mutex_){};
  Instant scan_free_ GUARDED_BY(mutex_){};
};

class LaneThread {
 public:
  /// Runs on the lane's thread between steps.
  /// @return the latest time of its next run, or nothing if it may wait for the next step.
  using Upkeep = std::function<std::optional<Instant>()>;

  LaneThread(bool quick, LoadShare& load, const WaitableClock& clock, Upkeep upkeep);
  ~LaneThread();
  LaneThread(const LaneThread&) = delete;
  LaneThread& operator=(const LaneThread&) = delete;

  /// Safe on any thread.
  void add(std::shared_ptr<Task> task);
  /// Removes a task. A step that is running goes on, and no further one begins. Safe on any thread.
  void remove(const Task& task);
  /// Tells the lane that a task may be due earlier than it was. Safe on any thread.
  void wake();

  /// @param until_done If true, the lane makes steps without rests and ends when no task will be
  /// due again. Otherwise it goes on until stop().
  void start(bool until_done);
  /// Lets a running step go on, and begins no further one. Safe on any thread.
  void stop();
  /// True once the thread makes no more steps. Safe on any thread.
  [[nodiscard]] bool finished() const;
  /// Waits until the thread has finished, but not beyond `moment`. Safe on any thread.
  void wait_until_finished(Instant moment) const;
  void join();

 private:
  /// The task that goes next, and the time from which it may.
  struct Next {
    std::shared_ptr<Task> task;
    Instant when{};
  };

  void run();
  [[nodiscard]] std::optional<Next> next() const REQUIRES(mutex_);
  std::shared_ptr<Task> wait_for_due(std::optional<Instant> upkeep);

  const bool quick_;
  LoadShare& load_;
  const WaitableClock& clock_;
  const Upkeep upkeep_;
  mutable Mutex mutex_;
  mutable Condition changed_;
  std::vector<std::shared_ptr<Task>> tasks_ GUARDED_BY(mutex_);
  bool until_done_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace pg_integrity
