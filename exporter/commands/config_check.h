// `config check`: what is wrong with a configuration.
#pragma once

#include <string>

#include "exporter/commands/command.h"

namespace pg_integrity {

/// Says what is wrong with a configuration, or that nothing is.
ExitCode check_config(const std::string& config_path);

}  // namespace pg_integrity
