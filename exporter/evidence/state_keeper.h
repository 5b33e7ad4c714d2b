// Keeps the state file up to date: every few seconds while there is news, and once more at the end.
// A file system that hangs or is full costs the file, never the sampling. Safe on any thread.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "exporter/evidence/news.h"
#include "exporter/evidence/state_file.h"
#include "exporter/io/condition.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

class StateKeeper {
 public:
  /// How long news waits at most.
  static constexpr Seconds kBetweenSaves{10};

  /// @param directory where the file is; empty: nothing is kept.
  /// @param state what is to be kept, made on the keeper's thread.
  /// @param news when it has changed.
  StateKeeper(std::string directory, std::function<SavedState()> state, const WaitableClock& clock,
              DisposableWorkers& workers, News& news);
  /// Saves what is new.
  ~StateKeeper();
  StateKeeper(const StateKeeper&) = delete;
  StateKeeper& operator=(const StateKeeper&) = delete;

 private:
  void work();
  void save();

  const std::string directory_;
  const std::function<SavedState()> state_;
  const WaitableClock& clock_;
  DisposableWorkers& workers_;
  bool failing_ = false;
  Mutex mutex_;
  Condition changed_;
  bool has_news_ GUARDED_BY(mutex_) = true;  ///< or what is not new could not be saved
  bool stopping_ GUARDED_BY(mutex_) = false;
  const News::Listener listener_;
  std::thread thread_;
};

}  // namespace pg_integrity
