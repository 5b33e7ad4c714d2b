// Lets signals such as that of Ctrl-C end a command that runs children.
#pragma once

#include <atomic>

#include "exporter/io/child_process.h"
#include "exporter/io/signals.h"

namespace pg_integrity {

/// Interrupts the children when SIGTERM, SIGINT or SIGHUP comes. Construct it before any other
/// thread starts.
class Interruption : public Children {
 public:
  Interruption()
      : signals_([this](int signal) {
          signal_ = signal;
          interrupt();
        }) {}

  /// The newest signal; 0: none has come.
  [[nodiscard]] int signal() const { return signal_; }

 private:
  std::atomic<int> signal_ = 0;
  const SignalThread signals_;  // uses the members above
};

}  // namespace pg_integrity
