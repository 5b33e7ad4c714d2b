// libpq connection strings. libpq's own parser reads them, this program completes them, and nobody
// gets to see them. Safe on any thread, except for target_of(), while nobody changes the
// environment.
#pragma once

#include <string>

#include "exporter/config/options.h"

namespace pg_integrity {

/// The target of a connection string, without its secrets.
struct ConnectionTarget {
  std::string host;  ///< host name, address or socket directory; empty: libpq's default
  std::string port;
  std::string user;
  std::string database;               ///< as libpq would choose it; empty if a service may name it
  bool remote = false;                ///< one of its hosts is neither a socket nor this machine
  bool encrypted_or_said_so = false;  ///< sslmode is set, in the string or the environment
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
/// set them.
std::string completed(const std::string& dsn, const std::string& database);

/// A connection string that may appear in a list of processes, and its password, which may not.
struct VisibleDsn {
  std::string dsn;
  std::string password;  ///< for PGPASSWORD; empty if the connection string has none
};
VisibleDsn visible(const std::string& dsn, const std::string& database);

/// `text` with every secret of the connection string replaced by "***".
std::string without_secrets(std::string text, const std::string& dsn);

}  // namespace pg_integrity
