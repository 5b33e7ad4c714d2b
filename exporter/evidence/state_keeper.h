// Keeps the state file up to date: every few seconds while there is news, and once more at the end.
// A file system that hangs or is full costs the file, never the sampling. Safe on any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "exporter/evidence/evidence.h"
#include "exporter/evidence/news.h"
#include "exporter/io/condition.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

class StateKeeper {
 public:
  /// How long news waits at most.
  static constexpr Seconds kBetweenSaves{10};

  /// @param directory where the file is; empty: nothing is kept.
  /// @param news of that evidence, or that it is another one.
  StateKeeper(std::string directory, std::function<std::shared_ptr<const Evidence>()> evidence,
              const WaitableClock& clock, DisposableWorkers& workers, News& news);
  /// Saves what is new.
  ~StateKeeper();
  StateKeeper(const StateKeeper&) = delete;
  StateKeeper& operator=(const StateKeeper&) = delete;

 private:
  void work();
  /// @return false when all is to end: then this save is the last one.
  bool wait_for_news(Instant not_before);
  void save();

  const std::string directory_;
  const std::function<std::shared_ptr<const Evidence>()> evidence_;
  const WaitableClock& clock_;
  DisposableWorkers& workers_;
  std::weak_ptr<const Evidence> saved_;  ///< versions of one evidence say nothing of another
  std::uint64_t saved_version_ = 0;
  bool failing_ = false;
  Mutex mutex_;
  Condition changed_;
  bool has_news_ GUARDED_BY(mutex_) = true;  ///< or what is not new could not be saved
  bool stopping_ GUARDED_BY(mutex_) = false;
  const News::Listener listener_;
  std::thread thread_;
};

}  // namespace pg_integrity
