// What the configuration means on one database: which collectors look at it, with which settings.
// Pure but for the session.
#pragma once

#include <string>
#include <vector>

#include "collectors/base/settings.h"
#include "collectors/options/server.h"
#include "collectors/ports/session.h"
#include "exporter/config/options.h"

namespace pg_integrity {

/// A collector on one database, or, if its scope is the server, on the server by way of it.
struct Assignment {
  const CollectorOptions* options = nullptr;
  Settings settings;     ///< its own options, as far as they are about this database
  WatchedServer server;  ///< as it is seen from this database
};

/// The options of a collector on one database: records that name another one are left out, those
/// that name none belong to the database of the DSN.
Settings settings_for(const CollectorOptions& options, const std::string& database,
                      const std::string& home_database);

/// The collectors that look at a database: its own if the configuration names it, and those of the
/// whole server if it is the database of the DSN. The references stay the options'.
std::vector<Assignment> collectors_on(const ServerOptions& options, const std::string& database);

/// Some of the configured databases are known by a pattern only.
bool has_globs(const ServerOptions& options);
bool is_glob(const std::string& name);

/// The names of all databases of a server that take connections and are no templates.
std::vector<std::string> databases_of(Session& session);

}  // namespace pg_integrity
