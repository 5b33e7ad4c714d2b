// Lets signals such as that of Ctrl-C end a command that runs children.
#pragma once

#include "exporter/io/child_process.h"
#include "exporter/io/signals.h"

namespace pg_integrity {

/// Interrupts the children when SIGTERM, SIGINT or SIGHUP comes. Construct it before any other
/// thread starts.
class Interruption : public Children {
 public:
  Interruption() : signals_([this] { interrupt(); }) {}

 private:
  const SignalThread signals_;
};

}  // namespace pg_integrity
