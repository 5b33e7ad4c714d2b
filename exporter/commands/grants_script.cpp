#include "exporter/commands/grants_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "collectors/base/qualified_name.h"
#include "collectors/postgres/schema.h"
#include "exporter/postgres/server_timeouts.h"

namespace pg_integrity {

namespace {

/// Two sessions of the exporter, two of a `check` beside it, and one for a person.
constexpr const char* kConnectionLimit = "5";

/// An SQL literal. The script sets standard_conforming_strings to on.
std::string literal(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

/// A value of a connection string, whose quotes have rules of their own.
std::string conninfo_value(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += (c == '\'' || c == '\\' ? "\\" : "") + std::string(1, c);
  return out + "'";
}

/// An argument of psql's connect command, in double quotes. The command takes even a text in single
/// quotes for an identifier, and within double quotes only they themselves are special. Only the
/// end of a line must go into single quotes, which know C's escapes.
std::string connect_argument(const std::string& text) {
  std::string out = "\"";
  for (const char c : text)
    if (c == '\n' || c == '\r')
      out += c == '\n' ? "\"'\\n'\"" : "\"'\\r'\"";
    else
      out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

/// Runs the statement that the query returns as its result.
std::string written_by(const std::string& query) {
  return query + " \\gexec\n";
}

}  // namespace

std::string script_heading() {
  return "\\set ON_ERROR_STOP on\nSET standard_conforming_strings = on;\n";
}

std::string connect_to(const std::string& database, const std::string& host,
                       const std::string& port, bool raw) {
  std::string target = "dbname=" + conninfo_value(database);
  if (!host.empty()) target += " host=" + conninfo_value(host);
  if (!port.empty()) target += " port=" + conninfo_value(port);
  return fmt::format(
      "\\connect -reuse-previous=on {}\nSET standard_conforming_strings = on;\n"
      "SET client_encoding = '{}';\n",
      connect_argument(target), raw ? "SQL_ASCII" : "UTF8");
}

std::string role_script(const std::string& role, const ServerNeeds& needs) {
  const std::string name = sql_identifier(role);
  const std::string creation = fmt::format("CREATE ROLE {} LOGIN", name);
  const std::string temp_limit = fmt::format("ALTER ROLE {} SET temp_file_limit = '{}MB'", name,
                                             std::llround(std::ceil(needs.temp_bytes / 1048576)));
  std::string sql = written_by(
      fmt::format("SELECT {} WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {})",
                  literal(creation), literal(role)));
  sql += fmt::format(
      "-- Two sessions for the exporter, two for a `check` beside it, one for psql to see what they"
      " see.\nALTER ROLE {0} CONNECTION LIMIT {1};\n"
      "ALTER ROLE {0} SET default_transaction_read_only = on;\n"
      "ALTER ROLE {0} SET idle_in_transaction_session_timeout = '60s';\n"
      "-- The server ends sessions that nobody holds any more, whatever became of the network.\n",
      name, kConnectionLimit);
  for (const ServerTimeout& timeout : server_timeouts())
    if (timeout.since <= needs.version)
      sql += fmt::format("ALTER ROLE {} SET {} = {};\n", name, timeout.name, timeout.value);
  sql += "-- What sorting may take on the server's disk: only a superuser may set it.\n";
  sql += written_by(
      fmt::format("SELECT {} FROM pg_catalog.pg_roles WHERE rolname = current_user AND rolsuper",
                  literal(temp_limit)));
  if (needs.sessions)
    sql += fmt::format(
        "-- Who is connected from where, and in which state.\nGRANT pg_read_all_stats TO {};\n",
        name);
  return sql;
}

std::string grant_all_data(const std::string& role) {
  return fmt::format(
      "-- Counting needs to read; nothing else is granted. Tables with row-level security stay"
      " limited unless\n-- a policy FOR SELECT TO the role USING (true) shows it all their rows, "
      "or it"
      " has BYPASSRLS. It then reads the rows\n-- of every tenant.\n"
      "GRANT pg_read_all_data TO {};\n",
      sql_identifier(role));
}

std::string grant_functions(const std::string& role, const Reads& reads) {
  std::string sql;
  for (const auto& [function, arguments] : reads.functions)
    sql += fmt::format("GRANT EXECUTE ON FUNCTION {}({}) TO {};\n", function.sql(), arguments,
                       sql_identifier(role));
  return sql;
}

std::string grant_connect(const std::string& role) {
  return written_by(
      "SELECT 'GRANT CONNECT ON DATABASE ' ||"
      " pg_catalog.quote_ident(pg_catalog.current_database()) || " +
      literal(" TO " + sql_identifier(role)));
}

std::string grant_reads(const std::string& role, const Reads& reads, Extent extent,
                        const std::map<QualifiedName, std::string>& any_column) {
  const std::string grantee = sql_identifier(role);
  const bool whole = extent != Extent::columns;
  std::set<std::string> schemas;
  for (const auto& [table, columns] : reads.tables) schemas.insert(table.schema);
  for (const QualifiedName& sequence : reads.sequences) schemas.insert(sequence.schema);
  for (const auto& [function, arguments] : reads.functions) schemas.insert(function.schema);
  std::string sql;
  for (const std::string& schema : schemas)
    sql += fmt::format("GRANT USAGE ON SCHEMA {} TO {};\n", sql_identifier(schema), grantee);
  for (const auto& [table, columns] : reads.tables) {
    std::string list;
    for (const std::string& column : columns)
      list += (list.empty() ? "" : ", ") + sql_identifier(column);
    if (const auto any = any_column.find(table); list.empty() && any != any_column.end())
      list = sql_identifier(any->second);
    const std::string only = whole || list.empty() ? "" : fmt::format(" ({})", list);
    sql += fmt::format("GRANT SELECT{} ON {} TO {};\n", only, table.sql(), grantee);
  }
  for (const QualifiedName& sequence : reads.sequences)
    sql += fmt::format("GRANT SELECT ON SEQUENCE {} TO {};\n", sequence.sql(), grantee);
  if (reads.large_objects)
    sql += fmt::format("GRANT SELECT{} ON pg_catalog.pg_largeobject TO {};\n",
                       whole ? "" : " (loid, data)", grantee);
  return sql + grant_functions(role, reads);
}

}  // namespace pg_integrity
