// A lane: one thread that makes the steps of its tasks as they fall due, and rests after each so
// that a server is not kept busy for more than its share. A server has a quick and a scan lane.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"
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
  mutable std::mutex mutex_;
  Instant quick_free_{};
  Instant scan_free_{};
};

class LaneThread {
 public:
  /// @param between runs on the lane's thread after each step and at least every few seconds.
  LaneThread(bool quick, LoadShare& load, const Clock& clock, std::function<void()> between);
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
  [[nodiscard]] bool finished() const { return finished_; }
  void join();

 private:
  void run();
  std::shared_ptr<Task> wait_for_due();

  const bool quick_;
  LoadShare& load_;
  const Clock& clock_;
  const std::function<void()> between_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Task>> tasks_;
  bool until_done_ = false;
  bool stopping_ = false;
  std::atomic<bool> finished_ = false;
  std::thread thread_;
};

}  // namespace pg_integrity
