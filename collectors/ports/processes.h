// Programs that a collector may ask. One thread at a time uses an object.
#pragma once

#include <string>
#include <vector>

#include "collectors/base/instant.h"

namespace pg_integrity {

/// A program that is asked something, such as which backups there are.
struct ProgramRequest {
  std::vector<std::string> command;  ///< the program and its arguments, as they are: no shell
  Seconds timeout{};
  std::size_t max_out = 0;  ///< bytes; a program that prints more is ended
};

/// Programs, run as child processes on a worker thread: with a clean environment (PATH, HOME,
/// LC_ALL=C, TZ=UTC), without input, in a process group of their own, of which nothing is left when
/// the call ends, whichever way.
class Processes {
 public:
  virtual ~Processes() = default;
  Processes() = default;
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  /// All that it has printed on its standard output, if it ended well.
  /// @throws SourceError: missing or permission if there is no such program for us; timeout;
  /// too_large; io if it failed, with the first line of its standard error; limit if no process can
  /// be made.
  virtual std::string output(const ProgramRequest& request) = 0;
};

}  // namespace pg_integrity
