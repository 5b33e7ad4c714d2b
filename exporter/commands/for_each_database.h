// Commands that ask the catalogs of all configured databases something, print the answer and end.
// One thread.
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

/// Visits every database of every server, the database of the DSN first, and prints what the visits
/// have returned, all of it or, if one fails, nothing.
/// @param visit may throw ConfigError and SourceError: one line says so.
ExitCode survey(const std::string& config_path,
                const std::function<std::string(const Options&)>& heading,
                const std::function<std::string(const Surveyed&)>& visit);

}  // namespace pg_integrity
