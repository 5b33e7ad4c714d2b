// The configuration of a server as a whole, beside the options of single collectors. It is parsed
// once and checked in one place. Collectors, drills, grants and explain receive it. It holds no
// connection string. Plain values; pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/settings.h"
#include "collectors/options/accept.h"
#include "collectors/options/allow.h"
#include "collectors/options/backups.h"
#include "collectors/options/drills.h"
#include "collectors/options/expect.h"
#include "collectors/options/replicas.h"

namespace pg_integrity {

struct WatchedServer {
  std::string name;           ///< label `server`
  std::string home_database;  ///< the database of the DSN
  std::vector<BackupSource> backups;
  std::optional<Seconds> recovery_point_objective;
  std::optional<Drills> drills;
  std::vector<Replica> replicas;
  Allow allow;
  Expect expect;
  std::vector<AcceptedDamage> accept;
  std::vector<std::string> audit_tables;  ///< names and globs over "schema.table"

  /// The same server, for the collectors of one of its databases. Its replicas and accepted damage
  /// are those of that database.
  [[nodiscard]] WatchedServer seen_from(const std::string& database) const;
};

/// All options above, as data.
std::vector<Option> watched_server_options();

/// Reads the settings of a server. If check_watched_server() finds faults, it takes what it can.
/// @param server the complete settings of one server.
WatchedServer watched_server_from(const Settings& server, const std::string& home_database);

/// Finds faults that single options cannot show.
void check_watched_server(const Settings& server, Problems& problems);

}  // namespace pg_integrity
