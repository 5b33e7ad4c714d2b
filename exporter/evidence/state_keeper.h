// Keeps the state file up to date. It saves every 10 s while there is news, and once more at the
// end. A file system that hangs or is full costs the file but does not disturb the collectors. Safe
// on any thread.
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
  /// The longest time that news waits before it is saved.
  static constexpr Seconds kBetweenSaves{10};

  /// @param directory holds the file. Empty: no file is kept.
  /// @param state makes the state to save, on the keeper's thread.
  /// @param news tells when that state has changed.
  /// @param saved is called, on the same thread, when the newest state is on the disk.
  /// The clock, the workers and the news must outlive this object.
  StateKeeper(std::string directory, std::function<SavedState()> state, const WaitableClock& clock,
              DisposableWorkers& workers, News& news, std::function<void()> saved = {});
  /// Saves once more if there is news.
  ~StateKeeper();
  StateKeeper(const StateKeeper&) = delete;
  StateKeeper& operator=(const StateKeeper&) = delete;

 private:
  void work();
  void save();

  const std::string directory_;
  const std::function<SavedState()> state_;
  const std::function<void()> saved_;
  const WaitableClock& clock_;
  DisposableWorkers& workers_;
  bool failing_ = false;
  Mutex mutex_;
  Condition changed_;
  bool has_news_ GUARDED_BY(mutex_) = true;  ///< or the last save failed
  bool stopping_ GUARDED_BY(mutex_) = false;
  const News::Listener listener_;
  std::thread thread_;
};

}  // namespace pg_integrity
