// Writes lines to a descriptor on a thread of its own. The line of lines is bounded: those that do
// not fit are dropped, and the next one that fits says how many. Safe on any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <thread>

#include "collectors/base/thread_annotations.h"
#include "exporter/io/clock.h"
#include "exporter/io/condition.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

class LineWriter {
 public:
  static constexpr std::size_t kMostLines = 1000;
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;

  /// @param descriptor belongs to the caller. Its thread takes no signals.
  /// @throws std::system_error if no thread can be started.
  explicit LineWriter(int descriptor);
  /// Waits until the lines so far are written, without end if nobody reads them.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  /// @param line with its end.
  void write(std::string line);
  /// Waits until all lines so far are written, for a second at most.
  void flush();

 private:
  void work();
  void write_now(const std::string& line) const;

  const int descriptor_;
  const SystemClock clock_{};
  Mutex mutex_;
  Condition changed_;
  std::deque<std::string> lines_ GUARDED_BY(mutex_);
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;
  std::size_t dropped_ GUARDED_BY(mutex_) = 0;
  bool writing_ GUARDED_BY(mutex_) = false;
  bool ending_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace pg_integrity
