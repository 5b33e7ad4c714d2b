// libpq connection strings: read with libpq's own parser, completed with what this program needs,
// never shown. Pure functions; safe on any thread.
#pragma once

#include <string>

#include "exporter/config/options.h"

namespace pg_integrity {

/// Where a connection string leads, without its secrets.
struct ConnectionTarget {
  std::string host;  ///< host name, address or socket directory; empty: libpq's default
  std::string port;
  std::string user;
  std::string database;  ///< as libpq would choose it; empty if only a service file says
  bool remote = false;   ///< any of its hosts is neither a socket nor this machine
  bool encrypted_or_said_so = false;  ///< sslmode is require or stricter, or was written out
};

/// The connection string as it stands now: a dsn_file is read anew.
/// @throws ConfigError if the file cannot be read.
std::string current_dsn(const ConnectionOptions& connection);

/// @throws ConfigError if it is no connection string; the text does not repeat any of it.
ConnectionTarget target_of(const std::string& dsn);

/// The string to connect with: that of the user, another database, and our time-outs and names
/// where the user said nothing.
std::string completed(const std::string& dsn, const std::string& database);

/// A connection string that may be seen in a list of processes, and what must not.
struct VisibleDsn {
  std::string dsn;
  std::string password;  ///< for PGPASSWORD; empty: the connection string has none
};
VisibleDsn visible(const std::string& dsn, const std::string& database);

/// `text` with every secret of the connection string replaced by "***".
std::string without_secrets(std::string text, const std::string& dsn);

}  // namespace pg_integrity
