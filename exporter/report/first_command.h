// The first command of a runbook, with the names of what is wrong and with what the configuration
// says of it. Pure functions.
#pragma once

#include <map>
#include <string>

#include "exporter/config/options.h"
#include "exporter/report/report.h"
#include "exporter/report/runbooks.h"

namespace pg_integrity {

/// What is wrong, and where.
struct CommandSubject {
  std::string database;  ///< empty: the whole server
  std::map<std::string, std::string> labels;
};

/// For bash: the runbook's first command all of whose names are known. If there is none, its first
/// one, in which what nobody here knows stays a variable. It holds no secret.
std::string first_command(const Runbook& runbook, const ServerOptions& server,
                          const ReportPlaces& places, const CommandSubject& subject);

}  // namespace pg_integrity
