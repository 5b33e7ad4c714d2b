// Tells how far a drill has come: on standard error, and in a record that the exporter reads. A
// thread of its own measures and writes. Safe on any thread.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "collectors/base/thread_annotations.h"
#include "collectors/recovery/drill_records.h"
#include "exporter/io/condition.h"
#include "exporter/io/mutex.h"
#include "exporter/io/stop_signal.h"

namespace pg_integrity {

class ProgressNotes {
 public:
  /// @param directory of the records.
  /// @param drill server, source, kind and start.
  ProgressNotes(const WaitableClock& clock, std::string directory, DrillProgress drill);
  /// Removes the record.
  ~ProgressNotes();
  ProgressNotes(const ProgressNotes&) = delete;
  ProgressNotes& operator=(const ProgressNotes&) = delete;

  /// Begins a phase, of which nothing is known yet.
  void begin(const std::string& phase);
  /// @param all_bytes 0 if unknown.
  void set(double bytes, double all_bytes);
  /// Lets the thread measure the phase from now on, by the size of a folder.
  void measure(const std::string& folder, double all_bytes);

 private:
  void watch();
  void note();

  const WaitableClock& clock_;
  const std::string directory_;
  Mutex mutex_;
  DrillProgress now_ GUARDED_BY(mutex_);
  std::string folder_ GUARDED_BY(mutex_);  ///< to be measured; empty: none
  StopSignal done_;
  std::thread thread_;
};

/// The bytes of all files below a folder that can be seen.
double bytes_below(const std::string& folder);

/// "restore: 1.2 GB, 31 %", for people.
std::string in_words(const DrillProgress& progress);

}  // namespace pg_integrity
