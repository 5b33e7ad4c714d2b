// libpq connection strings. libpq's own parser reads them, with the service and the environment
// that belong to them. This program completes them, and nobody gets to see them. Safe on any
// thread, except for target_of(), while nobody changes the environment.
#pragma once

#include <string>
#include <vector>

#include "exporter/config/options.h"

namespace pg_integrity {

/// The target of a connection string, without its secrets.
struct ConnectionTarget {
  std::string host;  ///< host name, address or socket directory; empty: libpq's default
  std::string port;
  std::string user;
  std::string database;        ///< as libpq would choose it
  bool database_said = false;  ///< somebody wrote down the database
  bool remote = false;         ///< one of its hosts is neither a socket nor this machine
  /// sslmode is set. A service that sets libpq's own default, "prefer", does not count, because
  /// libpq does not tell that it is set.
  bool encrypted_or_said_so = false;
};

/// The connection string as it is now. A dsn_file is read anew.
/// @throws ConfigError if the file cannot be read.
std::string current_dsn(const ConnectionOptions& connection);

/// One thread at a time, as getpwuid() requires.
/// @throws ConfigError if it is not a connection string. The error's text repeats no part of it.
/// The functions below throw this error, too.
ConnectionTarget target_of(const std::string& dsn);

/// The connection string to connect with. `database` replaces the database if it is not empty, and
/// client_encoding is UTF8. Our time-outs and our application_name are added unless the user has
/// set them. A target_session_attrs that asks whether sessions are read-only asks for the primary
/// or a standby instead.
/// @param options for the server, as libpq's `options`. Those of the user come after them, and win.
std::string completed(const std::string& dsn, const std::string& database,
                      const std::string& options = {});

/// The connection string with another host and port, and with another database if that is not
/// empty.
std::string at_target(const std::string& dsn, const std::string& host, const std::string& port,
                      const std::string& database);

/// The same connection with one host each, in the order in which libpq would try them.
std::vector<std::string> one_by_one(const std::string& conninfo);

/// A connection string that may appear in a list of processes, and its password, which may not.
struct VisibleDsn {
  std::string dsn;
  std::string password;  ///< for PGPASSWORD; empty if the connection string has none
};
VisibleDsn visible(const std::string& dsn, const std::string& database);

/// `text` with every secret of the connection string replaced by "***".
std::string without_secrets(std::string text, const std::string& dsn);

}  // namespace pg_integrity
