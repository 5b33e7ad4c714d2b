// The command `grants` prints the least privileges for what the configuration enables, as SQL for
// psql.
#pragma once

#include <string>

#include "exporter/commands/command.h"

namespace pg_integrity {

struct GrantsCommand {
  std::string config_path;  ///< empty: the environment
  std::string role;
  bool column_wise = false;  ///< single columns instead of whole tables
  bool generic = false;      ///< without reading any database: deploy/grants.sql
};

/// Prints the script on standard output.
ExitCode print_grants(const GrantsCommand& command);

/// The script that fits any database of PostgreSQL 14 or newer.
std::string generic_grants(const std::string& role);

}  // namespace pg_integrity
