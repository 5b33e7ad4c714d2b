// The command `serve` is the long-running exporter.
#pragma once

#include <string>

#include "exporter/commands/command.h"

namespace pg_integrity {

struct ServeCommand {
  std::string config_path;  ///< empty: the environment
  std::string listen;       ///< empty: as configured
};

/// Runs until SIGTERM or SIGINT. SIGHUP reads the configuration anew. Call it before any other
/// thread is started, because it blocks those signals for all threads.
ExitCode serve(const ServeCommand& command);

}  // namespace pg_integrity
