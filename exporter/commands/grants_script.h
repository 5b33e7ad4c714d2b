// The exporter's role as a script for psql: created where it is not there, bounded, and granted
// what it needs. Whatever names a watched database has, none of them is ever syntax, of SQL or of
// psql. Pure functions.
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

/// What the role needs on the server as a whole.
struct ServerNeeds {
  bool sessions = false;  ///< it sees what others do
  double temp_bytes = 0;  ///< of files that sorting may take at one time
};

/// What goes before everything else: what ends the script at its first failure.
std::string script_heading();

/// Goes to another database.
/// @param host,port of its server; both empty: the one that psql is connected with.
/// @param raw a database without an encoding.
std::string connect_to(const std::string& database, const std::string& host,
                       const std::string& port, bool raw);

/// The role and its bounds, in whichever database of the server.
std::string role_script(const std::string& role, const ServerNeeds& needs);

/// pg_read_all_data, for all databases of the server.
std::string grant_all_data(const std::string& role);

/// EXECUTE of the functions that are to be called.
std::string grant_functions(const std::string& role, const Reads& reads);

/// CONNECT to the database that psql is connected with.
std::string grant_connect(const std::string& role);

/// USAGE, SELECT and EXECUTE in the database that psql is connected with.
/// @param extent tables or columns. Of a table whose rows are counted any column will do: the one
/// that `any_column` names.
std::string grant_reads(const std::string& role, const Reads& reads, Extent extent,
                        const std::map<QualifiedName, std::string>& any_column);

}  // namespace pg_integrity
