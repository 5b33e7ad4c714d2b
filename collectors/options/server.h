// What the configuration says of a server as a whole, beside the options of single collectors:
// parsed once, checked in one place, and handed to collectors, drills, grants and explain. No
// connection string is in it. Plain values; pure functions.
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

  /// The same server, as the collectors of one of its databases should see it: the replicas are
  /// those of that database.
  [[nodiscard]] WatchedServer seen_from(const std::string& database) const;
};

/// All options above, as data.
std::vector<Option> watched_server_options();

/// Takes what it can where check_watched_server() finds faults.
/// @param server complete settings of one server.
WatchedServer watched_server_from(const Settings& server, const std::string& home_database);

/// Finds what single options cannot show.
void check_watched_server(const Settings& server, Problems& problems);

}  // namespace pg_integrity
