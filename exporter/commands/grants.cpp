#include "exporter/commands/grants.h"
#include "exporter/io/console.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "collectors/base/qualified_name.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/schema_cache.h"
#include "collectors/registry.h"
#include "exporter/commands/for_each_database.h"
#include "exporter/commands/grants_script.h"
#include "exporter/config/conninfo.h"
#include "exporter/config/options.h"
#include "exporter/report/printable.h"
#include "exporter/scheduler/assignment.h"

namespace pg_integrity {

namespace {

constexpr int kReadAllDataSince = 140000;
constexpr std::size_t kLongestName = 63;
constexpr double kDefaultGate = 1073741824;  ///< the collectors' default of exact_up_to
/// Sorting the keys of a table takes twice its size while runs are merged, and two sessions sort.
constexpr double kTempFilesPerTable = 4;

/// The reads of all collectors of a database, including those of the whole server.
Reads reads_on(const Surveyed& at, const Schema& schema) {
  Reads reads;
  for (const Assignment& one : collectors_on(at.server, at.database))
    one.options->spec->reads({one.settings, one.server}, at.session, schema, reads);
  return reads;
}

/// The column to be granted of each table that is counted without reading a column. It is the first
/// one of its primary key, or else its first one.
std::map<QualifiedName, std::string> counted_columns(const Schema& schema) {
  std::map<QualifiedName, std::string> any;
  for (const Table& table : schema.tables) {
    const auto primary = std::find_if(table.keys.begin(), table.keys.end(),
                                      [](const UniqueKey& key) { return key.primary; });
    if (primary != table.keys.end())
      any[table.name] = primary->columns.front();
    else if (!table.columns.empty())
      any[table.name] = table.columns.front().name;
  }
  return any;
}

/// The largest heap, in bytes, that a collector of the server reads whole.
double largest_gate(const ServerOptions& server) {
  double largest = 0;
  for (const CollectorOptions& collector : server.collectors)
    if (collector.settings.has("exact_up_to"))
      largest = std::max(largest, collector.settings.number("exact_up_to"));
  return largest > 0 ? largest : kDefaultGate;
}

class Script {
 public:
  explicit Script(const GrantsCommand& command) : command_(command) {}

  std::string heading(const Options& options) {
    several_ = options.servers.size() > 1;
    return fmt::format(
        "-- The least privileges of the role {} for what the configuration enables, for psql as a\n"
        "-- superuser. It grants, and revokes nothing. Then give the role a password, or a line in"
        " pg_hba.conf.\n{}",
        printable(sql_identifier(command_.role)), script_heading());
  }

  std::string database(const Surveyed& at) {
    const int version = at.session.server().version_num;
    const auto schema = load_schema(at.session, at.server.exclude, at.clock.now());
    const Reads reads = reads_on(at, *schema);
    const Extent extent = command_.column_wise           ? Extent::columns
                          : version >= kReadAllDataSince ? Extent::all_data
                                                         : Extent::tables;
    std::string sql =
        fmt::format("\n-- server {} (PostgreSQL {}), database {}\n{}", printable(at.server.name),
                    printable(at.session.server().version), printable(at.database), connect(at));
    if (at.first) {
      all_data_granted_ = false;
      sql += role_script(command_.role,
                         {reads.sessions, kTempFilesPerTable * largest_gate(at.server), version});
    }
    sql += grant_connect(command_.role);
    if (extent != Extent::all_data)
      return sql + grant_reads(command_.role, reads, extent, counted_columns(*schema));
    sql += grant_functions(command_.role, reads);
    if (all_data_granted_ || reads.nothing()) return sql;
    all_data_granted_ = true;
    return sql + grant_all_data(command_.role);
  }

 private:
  std::string connect(const Surveyed& at) const {
    const bool raw =
        at.session.query("SELECT current_setting('server_encoding') AS e").only().text("e") ==
        "SQL_ASCII";
    if (!several_) return connect_to(at.database, {}, {}, raw);
    const ConnectionTarget target = target_of(current_dsn(at.server.connection));
    return connect_to(at.database, target.host, target.port, raw);
  }

  const GrantsCommand& command_;
  bool several_ = false;           ///< servers, to which psql must find its way
  bool all_data_granted_ = false;  ///< on the server that is being visited
};

/// Why a text cannot be the name of the role. Empty if it can.
std::string fault_of_role(const std::string& role) {
  if (role.empty() || role.size() > kLongestName) return "must have 1 to 63 bytes";
  if (role.starts_with("pg_") || role == "public" || role == "none")
    return "is reserved by PostgreSQL";
  return {};
}

}  // namespace

std::string generic_grants(const std::string& role) {
  return "-- The least that the exporter needs, for psql as a superuser:\n--\n"
         "--     psql -d YOUR_DATABASE -f grants.sql\n--\n"
         "-- Then give it a password, or a line in pg_hba.conf. PostgreSQL 14 or newer; what fits "
         "older"
         " ones, or\n-- single columns, is said by `pg_integrity_exporter grants`, which has "
         "written this"
         " (--generic).\n" +
         script_heading() +
         role_script(role, {true, kTempFilesPerTable * kDefaultGate, kReadAllDataSince}) +
         grant_connect(role) + grant_all_data(role);
}

ExitCode print_grants(const GrantsCommand& command) {
  if (const std::string fault = fault_of_role(command.role); !fault.empty()) {
    say(fmt::format("--role: \"{}\" {}. HINT: choose another name, such as pgintegrity",
                    printable(command.role), fault));
    return ExitCode::usage;
  }
  if (command.generic) {
    if (command.column_wise) {
      say("--generic and --column-wise exclude each other. HINT: which columns there are is known "
          "by"
          " looking at the databases only");
      return ExitCode::usage;
    }
    const std::string text = generic_grants(command.role);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return ExitCode::proven;
  }
  Script script(command);
  return survey(
      command.config_path, [&](const Options& options) { return script.heading(options); },
      [&](const Surveyed& at) { return script.database(at); });
}

}  // namespace pg_integrity
