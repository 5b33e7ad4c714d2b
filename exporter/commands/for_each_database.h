// The frame of commands that ask the catalogs of all configured databases, print the answers and
// end. One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "collectors/ports/clock.h"
#include "exporter/commands/command.h"
#include "exporter/config/options.h"
#include "exporter/postgres/live_session.h"

namespace pg_integrity {

/// One database of a survey. Valid during the visit.
struct Surveyed {
  const ServerOptions& server;
  const std::string& database;
  LiveSession&
      session;  ///< bounded as the exporter's own are, with a deadline for all of the visit
  const Clock& clock;
  bool first = false;  ///< of its server; the database of the DSN
};

/// Visits every database of every server, the database of the DSN first. Prints all that the visits
/// have returned, or nothing if one of them fails.
/// @param visit may throw ConfigError and SourceError. One line then says what failed.
ExitCode survey(const std::string& config_path,
                const std::function<std::string(const Options&)>& heading,
                const std::function<std::string(const Surveyed&)>& visit);

}  // namespace pg_integrity
