// The exporter's role as a script for psql. The script creates the role if it is missing, bounds
// it, and grants what it needs. No name in a watched database ever becomes syntax, of SQL or of
// psql. Pure functions. Safe on any thread.
#pragma once

#include <string>

#include "collectors/base/qualified_name.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// How far a grant reaches.
enum class Extent : std::uint8_t {
  all_data,  ///< pg_read_all_data, which PostgreSQL has since version 14
  tables,
  columns,
};

/// Needs of the role on the server as a whole.
struct ServerNeeds {
  bool sessions = false;  ///< it sees the sessions of others
  double temp_bytes = 0;  ///< of temporary files that sorting may take at one time
  int version = 0;        ///< server_version_num
};

/// The head of the script. It makes psql end the script at the first failure.
std::string script_heading();

/// Connects psql to another database.
/// @param host,port of its server. If both are empty, psql stays on its present server.
/// @param raw true for a database without an encoding (SQL_ASCII).
std::string connect_to(const std::string& database, const std::string& host,
                       const std::string& port, bool raw);

/// Creates the role and sets its bounds. Any database of the server will do.
std::string role_script(const std::string& role, const ServerNeeds& needs);

/// Grants pg_read_all_data, for all databases of the server.
std::string grant_all_data(const std::string& role);

/// Grants EXECUTE on the functions that are to be called.
std::string grant_functions(const std::string& role, const Reads& reads);

/// Grants CONNECT to the database that psql is connected with.
std::string grant_connect(const std::string& role);

/// Grants USAGE, SELECT and EXECUTE in the database that psql is connected with.
/// @param extent tables or columns.
/// @param any_column the column to grant of each table whose rows are only counted. Any one would
/// do.
std::string grant_reads(const std::string& role, const Reads& reads, Extent extent,
                        const std::map<QualifiedName, std::string>& any_column);

}  // namespace pg_integrity
