// The validated configuration: a plain struct with defaults inline. Only config.cpp makes one from
// a file; whatever is further in takes it as true.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/options/server.h"
#include "collectors/registry.h"

namespace pg_integrity {

/// One collector on one server.
struct CollectorOptions {
  const CollectorSpec* spec = nullptr;
  Seconds interval{};  ///< target between complete passes
  Seconds deadline{};  ///< bound of one step
  Settings settings;   ///< its own options
  /// All that its answers depend on beside them, in one canonical text: evidence that was taken
  /// under another one is not reloaded.
  std::string depends_on;
};

/// A collector that does not run on a server, and what would make it run.
struct NotWatched {
  const CollectorSpec* spec = nullptr;
  std::string hint;
};

/// How to reach a server. Secrets are read again at every connect.
struct ConnectionOptions {
  std::string dsn;       ///< libpq connection string or URI; may be empty: libpq's environment
  std::string dsn_file;  ///< a file that holds one; wins over dsn
};

/// How to reach a copy of a watched database.
struct ReplicaConnection {
  std::string name;
  std::string database;  ///< the watched one that it is a copy of
  ConnectionOptions connection;
};

struct ServerOptions : WatchedServer {
  ConnectionOptions connection;
  std::vector<ReplicaConnection> replica_connections;
  std::vector<std::string> databases;  ///< names, or globs over what the server has
  std::vector<std::string> exclude;    ///< globs over "schema.table" that are not looked at
  double max_load = 0.05;              ///< share of one session's time, (0, 1]
  std::size_t max_sessions = 2;
  std::size_t series_cap = 10000;  ///< series a collector
  std::vector<CollectorOptions> collectors;
  /// What checks a restored copy, whether it is enabled or not: with its own options, but without
  /// any that keeps it from a table.
  std::vector<CollectorOptions> on_copy;
  std::vector<NotWatched> not_watched;
};

/// Where the HTTP server listens.
struct ListenAddress {
  std::string host = "127.0.0.1";
  int port = 10187;  ///< 0: any free one
};

/// "127.0.0.1:10187", "[::1]:10187", or ":10187" for every address. Nothing if it is none of these.
std::optional<ListenAddress> parse_listen(std::string_view text);

struct Options {
  ListenAddress listen;
  std::string state_dir;        ///< empty: evidence does not survive a restart
  bool reload_by_http = false;  ///< POST /-/reload
  std::vector<ServerOptions> servers;
};

}  // namespace pg_integrity
