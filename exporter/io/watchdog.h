// Bounds calls that have no time-out of their own. At a deadline the watchdog runs a short action
// (such as shutting a socket down) unless the caller calls it off before. One thread serves all
// actions. Safe on any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <thread>

#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "exporter/io/condition.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

class Watchdog {
 public:
  explicit Watchdog(const WaitableClock& clock);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Calls the action off when destroyed. After that the action is not running and will not run.
  class Guard {
   public:
    Guard(Watchdog& owner, std::uint64_t id) : owner_(&owner), id_(id) {}
    ~Guard() { owner_->disarm(id_); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    Watchdog* owner_;
    std::uint64_t id_;
  };

  /// @param action runs on the watchdog's thread. It must be quick and must not throw.
  [[nodiscard]] Guard arm(Instant deadline, std::function<void()> action);

 private:
  struct Armed {
    Instant deadline;
    std::function<void()> action;
  };

  void disarm(std::uint64_t id);
  void watch();
  void run_due() REQUIRES(mutex_);

  const WaitableClock& clock_;
  Mutex mutex_;
  Condition changed_;
  std::map<std::uint64_t, Armed> armed_ GUARDED_BY(mutex_);
  std::optional<Instant> wakes_ GUARDED_BY(mutex_);  ///< when the thread wakes by itself
  std::uint64_t last_id_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace pg_integrity
