// Keeps the state file up to date: every few seconds while there is news, and once more at the end.
// A file system that hangs or is full costs the file, never the sampling. Safe on any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "collectors/ports/clock.h"
#include "exporter/evidence/evidence.h"
#include "exporter/io/disposable_workers.h"

namespace pg_integrity {

class StateKeeper {
 public:
  static constexpr std::chrono::milliseconds kBetweenSaves{10000};

  /// @param directory where the file is; empty: nothing is kept.
  /// @param between_saves how long news waits at most; of the real time, not of `clock`.
  StateKeeper(std::string directory, std::function<std::shared_ptr<const Evidence>()> evidence,
              const Clock& clock, DisposableWorkers& workers,
              std::chrono::milliseconds between_saves = kBetweenSaves);
  /// Saves what is new.
  ~StateKeeper();
  StateKeeper(const StateKeeper&) = delete;
  StateKeeper& operator=(const StateKeeper&) = delete;

 private:
  void work();
  void save();

  const std::string directory_;
  const std::function<std::shared_ptr<const Evidence>()> evidence_;
  const Clock& clock_;
  DisposableWorkers& workers_;
  const std::chrono::milliseconds between_saves_;
  std::weak_ptr<const Evidence> saved_;  ///< versions of one evidence say nothing of another
  std::uint64_t saved_version_ = 0;
  bool failing_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pg_integrity
