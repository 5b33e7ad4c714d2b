// The command `healthcheck`: asks the exporter that runs on this machine whether it is healthy. It
// needs neither password nor certificate, so it serves as a probe where the port asks for them.
#pragma once

#include <string>
#include <vector>

#include "exporter/commands/command.h"

namespace pg_integrity {

struct HealthcheckCommand {
  std::string config_path;          ///< empty: the environment
  std::vector<std::string> listen;  ///< of the exporter; empty: as configured
  bool ready = false;               ///< whether it is ready, too
};

/// @return proven if it is healthy, violated if it is not, usage if nobody can say.
ExitCode healthcheck(const HealthcheckCommand& command);

}  // namespace pg_integrity
