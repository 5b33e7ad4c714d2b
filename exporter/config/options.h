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
#include "collectors/registry.h"

namespace pg_integrity {

/// Known damage that counts as accepted for a while.
struct AcceptedDamage {
  std::string object;    ///< as the report names it: "orphans/public.child.child_fkey"
  std::string database;  ///< empty: in every database of the server
  double at_most = 0;    ///< how far the value may be from what it should be
  UnixTime until = 0;    ///< from then on it counts again
  std::string reason;    ///< shown in the report
};

/// One collector on one server.
struct CollectorOptions {
  const CollectorSpec* spec = nullptr;
  Seconds interval{};  ///< target between complete passes
  Seconds deadline{};  ///< bound of one step
  Settings settings;
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

/// Where a copy of a watched database is.
struct ReplicaOptions {
  std::string name;
  std::string database;  ///< the watched one that it is a copy of
  ConnectionOptions connection;
};

struct ServerOptions {
  std::string name;  ///< label `server`
  ConnectionOptions connection;
  std::vector<ReplicaOptions> replicas;
  std::string home_database;           ///< the database of the DSN
  std::vector<std::string> databases;  ///< names, or globs over what the server has
  std::vector<std::string> exclude;    ///< globs over "schema.table" that are not looked at
  double max_load = 0.05;              ///< share of one session's time, (0, 1]
  std::size_t max_sessions = 2;
  std::size_t series_cap = 10000;  ///< series a collector
  std::vector<AcceptedDamage> accept;
  std::vector<CollectorOptions> collectors;
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
