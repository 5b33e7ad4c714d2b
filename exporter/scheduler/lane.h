// A lane: one thread that makes the steps of its tasks as they fall due, and rests after each so
// that a server is not kept busy for more than its share. A server has a quick and a scan lane.
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

/// The time one session may be kept busy, shared by the lanes of a server. Quick work is never held
/// up by scans; scans make room for it, but half of the share is theirs. Safe on any thread.
class LoadShare {
 public:
  /// @param share of one session's time, (0, 1]; 1 or more: no rest at all.
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
  /// Runs on the lane's thread between steps. @return when it is to run again at the latest;
  /// nothing: after the next step.
  using Upkeep = std::function<std::optional<Instant>()>;

  LaneThread(bool quick, LoadShare& load, const WaitableClock& clock, Upkeep upkeep);
  ~LaneThread();
  LaneThread(const LaneThread&) = delete;
  LaneThread& operator=(const LaneThread&) = delete;

  /// Safe on any thread.
  void add(std::shared_ptr<Task> task);
  /// That task makes no further step; one that runs goes on. Safe on any thread.
  void remove(const Task& task);
  /// A task may have become due earlier than it was. Safe on any thread.
  void wake();

  /// @param until_done goes on without rests and ends when no task will be due again; otherwise
  /// goes on until stop().
  void start(bool until_done);
  /// No step begins any more; the running one goes on. Safe on any thread.
  void stop();
  /// The thread makes no more steps. Safe on any thread.
  [[nodiscard]] bool finished() const;
  /// Waits for that until a moment. Safe on any thread.
  void wait_until_finished(Instant moment) const;
  void join();

 private:
  /// The task that goes next, and when it may; nothing: none will be due again.
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
