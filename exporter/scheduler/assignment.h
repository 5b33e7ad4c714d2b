// Resolves the configuration for one database: the collectors that check it, and their settings.
// Pure functions, except that databases_of() queries its session.
#pragma once

#include <string>
#include <vector>

#include "collectors/base/settings.h"
#include "collectors/options/server.h"
#include "collectors/ports/session.h"
#include "exporter/config/options.h"

namespace pg_integrity {

/// A collector that is assigned to one database. A collector whose scope is the server is assigned
/// to the database of the DSN, and checks the server through it.
struct Assignment {
  const CollectorOptions* options = nullptr;
  Settings settings;     ///< its own options, as far as they are about this database
  WatchedServer server;  ///< as it is seen from this database
};

/// The settings of a collector on one database. An entry that names another database is left out.
/// An entry that names none belongs to `home_database`, the database of the DSN.
Settings settings_for(const CollectorOptions& options, const std::string& database,
                      const std::string& home_database);

/// The collectors that check a database. A collector of one database is included if the
/// configuration names the database, a collector of the whole server if it is the database of the
/// DSN. A collector that is not wanted with these settings is left out.
/// @return assignments that point into `options`, which must outlive them.
std::vector<Assignment> collectors_on(const ServerOptions& options, const std::string& database);

/// The names of the server's databases that accept connections and are no templates.
/// @throws SourceError
std::vector<std::string> databases_of(Session& session);

}  // namespace pg_integrity
