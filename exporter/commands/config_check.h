// The command `config check` checks a configuration without using it.
#pragma once

#include <string>

#include "exporter/commands/command.h"

namespace pg_integrity {

/// Prints what is wrong with a configuration. If nothing is, prints what it watches and what it
/// does not.
ExitCode check_config(const std::string& config_path);

}  // namespace pg_integrity
