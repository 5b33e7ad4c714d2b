// The command `serve` is the long-running exporter.
#pragma once

#include <string>
#include <vector>

#include "exporter/commands/command.h"

namespace pg_integrity {

struct ServeCommand {
  std::string config_path;          ///< empty: the environment
  std::vector<std::string> listen;  ///< empty: as configured
  std::string web_config;           ///< empty: as configured
  bool systemd_socket = false;      ///< listen on the sockets that systemd hands over
};

/// Runs until SIGTERM or SIGINT. SIGHUP reads the configuration anew. Call it before any other
/// thread is started, because it blocks those signals for all threads.
ExitCode serve(const ServeCommand& command);

}  // namespace pg_integrity
