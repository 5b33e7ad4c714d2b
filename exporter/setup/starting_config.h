// A first configuration, with comments, from what was found. A pure function.
#pragma once

#include <string>

#include "exporter/setup/found_backups.h"
#include "exporter/setup/found_in_database.h"

namespace pg_integrity {

struct StartingConfig {
  std::string server;  ///< its name in the configuration
  std::string dsn;     ///< without a password
  bool had_password = false;
  FoundInDatabase database;
  FoundBackups backups;
};

/// @return TOML that `config check` accepts.
std::string starting_config(const StartingConfig& found);

}  // namespace pg_integrity
