// The command `accept`: prints the TOML that accepts known damage or losses, or tells them to the
// exporter that runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exporter/commands/command.h"

namespace pg_integrity {

struct AcceptCommand {
  std::string config_path;
  std::vector<std::string> objects;  ///< as the report names them
  bool changes = false;              ///< everything that is gone or can no longer be checked
  std::string until;                 ///< a day; empty: in 30 days
  std::string reason;
  std::string by;  ///< empty: the user who runs the command
  std::string server;
  std::string database;
  std::optional<double> at_most;  ///< nothing: as far as the values are off now
  bool now = false;               ///< tell the running exporter; print nothing to be saved
};

/// Takes the objects from the evidence on record, so that a misspelt one is noticed.
ExitCode accept(const AcceptCommand& command);

/// The path of the socket on which the exporter takes acceptances.
std::string acceptance_socket(const std::string& state_dir);

}  // namespace pg_integrity
