// Ctrl-C and its like, for commands that run children.
#pragma once

#include "exporter/io/child_process.h"
#include "exporter/io/signals.h"

namespace pg_integrity {

/// Takes SIGTERM, SIGINT and SIGHUP from its construction on, which must come before any other
/// thread, and interrupts the children then.
class Interruption : public Children {
 public:
  Interruption() : signals_([this] { interrupt(); }) {}

 private:
  const SignalThread signals_;
};

}  // namespace pg_integrity
