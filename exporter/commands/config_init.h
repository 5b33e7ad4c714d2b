// The command `config init`: prints a first configuration from what is found in the database and on
// this machine.
#pragma once

#include <string>
#include <vector>

#include "exporter/commands/command.h"

namespace pg_integrity {

struct InitCommand {
  std::string config_path;           ///< where the connection string is; empty: the environment
  std::vector<std::string> look_in;  ///< further directories with dumps
};

/// Asks the catalog of the first server's own database, and looks for backups here.
ExitCode init_config(const InitCommand& command);

}  // namespace pg_integrity
