// Shows on a terminal how far a pass of all collectors has come.
#pragma once

#include <string>
#include <thread>

#include "exporter/evidence/evidence.h"
#include "exporter/io/clock.h"
#include "exporter/io/condition.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

/// "12 of 44 collectors done; orphans: 312 of 1,440 objects". The collector named is the first one
/// that runs and knows its number of objects.
std::string progress_of(const Snapshot& snapshot);

/// A thread that keeps one line of standard error current, if standard error is a terminal.
/// Otherwise it does nothing. A pass of less than a second shows none.
class ProgressLine {
 public:
  /// Both outlive this object.
  ProgressLine(const Evidence& evidence, const WaitableClock& clock);
  /// Clears the line.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

 private:
  void show_until_done();

  const Evidence& evidence_;
  const WaitableClock& clock_;
  Mutex mutex_;
  Condition changed_;
  bool done_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace pg_integrity
