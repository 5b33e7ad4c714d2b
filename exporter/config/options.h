// The validated configuration as plain structs with defaults inline. config.cpp alone makes them
// from a file. Code further in trusts them without a check of its own.
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
  Seconds interval{};  ///< target between full passes
  Seconds deadline{};  ///< longest time of one step
  Settings settings;   ///< its own options
  /// All options that its answers depend on, its own and those of the server, as one canonical
  /// text. Evidence that was taken under another text is not reloaded, except for values that the
  /// collector learned over time.
  std::string depends_on;
  /// Longest time that passes are left out because nothing was committed. 0: none is.
  Seconds full_check_interval{};
};

/// A collector that does not run on a server, with a hint how to make it run.
struct NotWatched {
  const CollectorSpec* spec = nullptr;
  std::string hint;
};

/// How to reach a server. Secrets are read again at every connect.
struct ConnectionOptions {
  std::string dsn;           ///< libpq connection string or URI; empty: libpq's environment
  std::string dsn_file;      ///< a file with such a string; has priority over dsn
  bool data_source = false;  ///< composed of DATA_SOURCE_URI, _USER and _PASS in place of both
};

/// How to reach a copy of a watched database.
struct ReplicaConnection {
  std::string name;
  std::string database;  ///< the watched database that it is a copy of
  ConnectionOptions connection;
  std::string
      address{};  ///< "host='standby.example' dbname='shop'", for people; no user, no secret
};

struct ServerOptions : WatchedServer {
  ConnectionOptions connection;
  std::string host;  ///< where the connection led when it was read, for people; may be empty
  std::string port;  ///< of that
  std::vector<ReplicaConnection> replica_connections;
  std::vector<std::string> databases;  ///< names, or globs over what the server has
  std::vector<std::string> exclude;    ///< globs over "schema.table" that are not checked
  double max_load = 0.05;              ///< share of one session's time, (0, 1]
  std::size_t max_sessions = 2;
  std::size_t series_cap = 10000;  ///< largest number of series of one collector
  std::vector<CollectorOptions> collectors;
  /// The collectors that check a restored copy, whether enabled or not. They have their own
  /// options, except for those that would keep them from a table.
  std::vector<CollectorOptions> on_copy;
  std::vector<NotWatched> not_watched;
};

/// The address that the HTTP server listens on.
struct ListenAddress {
  std::string host = "127.0.0.1";
  int port = 10187;  ///< 0: any free port
};

/// Reads "127.0.0.1:10187", "[::1]:10187", or ":10187" for every address.
/// @return nothing if the text has none of these forms.
std::optional<ListenAddress> parse_listen(std::string_view text);

/// Reads several of them, separated by commas and spaces.
/// @return nothing if there is none, or one has none of these forms.
std::vector<ListenAddress> parse_listen_list(std::string_view text);

/// The directory with files of further servers.
struct ServerFiles {
  std::string directory;  ///< empty if there is none
  std::string seen;       ///< its files before they were read, as identity_of() has them
};

struct Options {
  std::vector<ListenAddress> listen;
  std::vector<std::string> allowed_hosts;  ///< globs over names by which clients may call us
  std::string web_config_file;             ///< TLS and passwords of the HTTP server; empty: none
  std::string state_dir;                   ///< empty: evidence does not survive a restart
  std::string accept_dir;                  ///< empty: there are no files of acceptances
  ServerFiles server_files;                ///< where further servers are
  std::string runbooks;                    ///< address of the folder of runbooks; may be empty
  std::string file;                        ///< the configuration; empty: the environment
  bool reload_by_http = false;             ///< POST /-/reload
  std::vector<ServerOptions> servers;
};

}  // namespace pg_integrity
