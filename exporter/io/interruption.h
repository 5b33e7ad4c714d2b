// Ctrl-C and its like, for commands that run children.
#pragma once

#include <atomic>
#include <thread>

#include "exporter/io/child_process.h"

namespace pg_integrity {

/// Takes SIGTERM, SIGINT and SIGHUP from its construction on, which must come before any other
/// thread, and interrupts the children then.
class Interruption : public Children {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

 private:
  void take_signals();

  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

}  // namespace pg_integrity
