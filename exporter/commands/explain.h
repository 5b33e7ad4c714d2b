// The command `explain` shows what the exporter would ask, without asking it.
#pragma once

#include <string>
#include <vector>

#include "collectors/registry.h"
#include "exporter/commands/command.h"

namespace pg_integrity {

struct ExplainCommand {
  std::string config_path;              ///< empty: the environment
  std::vector<std::string> collectors;  ///< by name; empty: all that are enabled
  bool cost = false;                    ///< with the planner's estimates
};

/// Prints statements, files and requests on standard output. It reads nothing but the catalog.
ExitCode explain(const ExplainCommand& command);

}  // namespace pg_integrity
