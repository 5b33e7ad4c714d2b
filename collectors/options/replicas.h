// The configuration of copies of a server's databases: `replicas` of [[server]], without connection
// strings, which collectors may not know. These stay with the sessions. Plain values; pure
// functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/settings.h"

namespace pg_integrity {

/// A standby, a subscriber or a restored copy.
struct Replica {
  std::string name;
  std::string database;             ///< the watched database that it is a copy of
  std::vector<std::string> tables;  ///< globs; empty: all
  bool content = true;              ///< false: only row counts are compared
  std::optional<Seconds> max_lag;
};

/// The option, as data.
std::span<const Option> replica_options();

/// @param server the complete settings of one server.
/// @param home_database the database of the DSN. A replica that names no database is a copy of this
/// one.
std::vector<Replica> replicas_from(const Settings& server, const std::string& home_database);

/// Finds faults that single options cannot show.
void check_replicas(const Settings& server, Problems& problems);

}  // namespace pg_integrity
