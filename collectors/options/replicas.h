// What the configuration says of copies of a server's databases: `replicas` of [[server]], as far
// as a collector may know it. Connection strings stay with the sessions. Plain values; pure
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
  bool content = true;              ///< false: rows are counted only
  std::optional<Seconds> max_lag;
};

/// The option, as data.
std::span<const Option> replica_options();

/// @param server complete settings of one server.
/// @param home_database the database of the DSN: whatever names none is a copy of that.
std::vector<Replica> replicas_from(const Settings& server, const std::string& home_database);

/// Finds what single options cannot show.
void check_replicas(const Settings& server, Problems& problems);

}  // namespace pg_integrity
