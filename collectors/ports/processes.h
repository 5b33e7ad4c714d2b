// Programs that a collector may run to get information. One thread at a time uses an object.
#pragma once

#include <string>
#include <vector>

#include "collectors/base/instant.h"

namespace pg_integrity {

/// A program that is run for its output, such as a list of backups.
struct ProgramRequest {
  std::vector<std::string> command;  ///< the program and its arguments, passed on without a shell
  Seconds timeout{};
  std::size_t max_out = 0;  ///< bytes; a program that prints more is stopped
};

/// Programs, run as child processes on a worker thread. Each gets a clean environment (PATH, HOME,
/// LC_ALL=C, TZ=UTC), no input, and a process group of its own. No process of that group is left
/// when the call ends, whether it succeeds or throws.
class Processes {
 public:
  virtual ~Processes() = default;
  Processes() = default;
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  /// Runs a program and returns all of its standard output, if it succeeds.
  /// @throws SourceError: missing or permission if we cannot run the program, timeout, too_large,
  /// io if it failed (with the first line of its standard error, else of its output), limit if no
  /// process can be created.
  virtual std::string output(const ProgramRequest& request) = 0;
};

}  // namespace pg_integrity
