#include "exporter/config/config.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <set>
#include <vector>

#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/base/units.h"
#include "collectors/collector.h"
#include "collectors/registry.h"
#include "exporter/config/config_schema.h"
#include "exporter/config/conninfo.h"
#include "exporter/config/settings_check.h"
#include "exporter/config/toml.h"

namespace pg_integrity {

namespace {

/// The collector is judged as a whole: its name alone is an object.
bool is_object(const CollectorSpec& spec) {
  return std::any_of(spec.metrics.begin(), spec.metrics.end(), [](const MetricInfo* metric) {
    return !metric->expectation.none() && metric->label_count == 0;
  });
}

AcceptedDamage accepted_from(const Settings& record, Problems& problems) {
  AcceptedDamage accepted{record.text("object"), record.text_or_empty("database"),
                          record.number("at_most"), record.number("until"), record.text("reason")};
  const std::size_t slash = accepted.object.find('/');
  const CollectorSpec* collector = collector_named(accepted.object.substr(0, slash));
  if (collector == nullptr || (slash == std::string::npos && !is_object(*collector)))
    problems.add(record.place("object"), "\"object\" names nothing that a collector looks at",
                 "take it from the report, such as \"orphans/public.child.child_fkey\"");
  return accepted;
}

/// @return the database that it leads to; empty if that cannot be told.
std::string require_encryption(const ConnectionOptions& connection, const Place& place,
                               Problems& problems) {
  try {
    const ConnectionTarget target = target_of(current_dsn(connection));
    if (target.remote && !target.encrypted_or_said_so)
      problems.add(place, "the connection to " + target.host + " would not have to be encrypted",
                   "add sslmode=verify-full (or require), or write sslmode=prefer to accept it");
    return target.database;
  } catch (const ConfigError& error) {
    problems.add(place, error.what());
    return {};
  }
}

void take_connection(const Settings& settings, ServerOptions& server, Problems& problems) {
  server.connection = {settings.text_or_empty("dsn"), settings.text_or_empty("dsn_file")};
  const std::string_view option = settings.has("dsn_file") ? "dsn_file" : "dsn";
  server.home_database = require_encryption(server.connection, settings.place(option), problems);
  server.databases = settings.texts("databases");
  if (server.home_database.empty() && !server.databases.empty())
    server.home_database = server.databases.front();
  if (server.home_database.empty() && problems.empty())
    problems.add(settings.place(), "no database is named",
                 "add dbname=… to the connection string, or databases = [\"…\"]");
  if (server.databases.empty()) server.databases = {server.home_database};
}

/// Where the copies are. What their collector gets to see of them has no connection string.
void take_replicas(const Settings& settings, ServerOptions& server, Problems& problems) {
  for (const Settings& record : settings.records("replicas")) {
    const std::string& name = record.text("name");
    const ConnectionOptions connection{record.text_or_empty("dsn"),
                                       record.text_or_empty("dsn_file")};
    if (record.has("dsn") == record.has("dsn_file")) {
      problems.add(record.place(), "replica \"" + name + "\" needs one connection string",
                   "give it dsn or dsn_file");
      continue;
    }
    require_encryption(connection, record.place(record.has("dsn_file") ? "dsn_file" : "dsn"),
                       problems);
    server.replicas.push_back(
        {name, record.has("database") ? record.text("database") : server.home_database,
         connection});
  }
}

void take_collector(const CollectorSpec& spec, const Settings& server_settings,
                    ServerOptions& server, Problems& problems) {
  const Settings* tables = server_settings.record("collectors");
  CollectorOptions options;
  options.spec = &spec;
  options.settings = *tables->record(spec.name);
  for (const Option& option : spec.options)
    if (option.home == OptionHome::server && server_settings.has(option.name))
      options.settings.put(option.name, server_settings.value(option.name),
                           server_settings.place(option.name));
  options.settings.for_each_record("replicas", [](Settings& replica) {
    for (const char* secret : {"dsn", "dsn_file"}) replica.drop(secret);
  });
  refuse_twins(spec, options.settings, server.home_database, problems);
  if (!options.settings.flag("enabled")) {
    server.not_watched.push_back({&spec, "it is disabled: remove enabled = false"});
    return;
  }
  if (!spec.needs.empty() && options.settings.records(spec.needs).empty()) {
    server.not_watched.push_back({&spec, std::string(spec.needs_hint)});
    return;
  }
  options.interval = options.settings.duration("interval");
  options.deadline = options.settings.duration("deadline");
  if (spec.check != nullptr) spec.check(options.settings, problems);
  server.collectors.push_back(std::move(options));
}

ServerOptions server_from(const Settings& settings, Problems& problems) {
  ServerOptions server;
  server.name = settings.text("name");
  take_connection(settings, server, problems);
  server.exclude = settings.texts("exclude");
  server.max_load = settings.number("max_load");
  server.max_sessions = static_cast<std::size_t>(settings.number("max_sessions"));
  server.series_cap = static_cast<std::size_t>(settings.number("series_cap"));
  for (const Settings& record : settings.records("accept"))
    server.accept.push_back(accepted_from(record, problems));
  take_replicas(settings, server, problems);
  for (const CollectorSpec* spec : collectors()) take_collector(*spec, settings, server, problems);
  return server;
}

/// Every collector has a table, be it empty: its options then have their defaults.
void ensure_collector_tables(Settings& server) {
  Settings tables =
      server.record("collectors") != nullptr ? *server.record("collectors") : Settings();
  for (const CollectorSpec* spec : collectors())
    if (!tables.has(spec->name))
      tables.put(spec->name, std::vector<Settings>{Settings(server.place())}, {});
  server.put("collectors", std::vector<Settings>{std::move(tables)}, {});
}

ReadOptions options_from(Settings settings, Problems& problems) {
  const Settings* defaults = settings.record("defaults");
  settings.for_each_record("server", [&](Settings& server) {
    Settings merged(server.place());
    if (defaults != nullptr) merged.overlay(*defaults, server_options());
    merged.overlay(server, server_options());
    ensure_collector_tables(merged);
    server = std::move(merged);
  });
  complete(settings, configuration_options(), "at the top of the file", problems);
  refuse_twins(
      settings, "server", [](const Settings& server) { return Names{server.text("name")}; },
      problems);
  if (!problems.empty()) return problems.lines();
  Options options;
  if (const auto listen = parse_listen(settings.text("listen")))
    options.listen = *listen;
  else
    problems.add(settings.place("listen"), "\"listen\" is no address and port",
                 "write it as \"127.0.0.1:10187\", \"[::1]:10187\" or \":10187\"");
  options.state_dir = settings.text("state_dir");
  options.reload_by_http = settings.flag("reload_by_http");
  for (const Settings& server : settings.records("server"))
    options.servers.push_back(server_from(server, problems));
  if (!problems.empty()) return problems.lines();
  return options;
}

}  // namespace

ReadOptions read_configuration(const std::string& path) {
  Problems problems;
  Settings settings = read_toml(path, configuration_options(), problems);
  if (settings.place().file.empty()) return problems.lines();  // nothing could be parsed
  return options_from(std::move(settings), problems);
}

ReadOptions configuration_from_environment() {
  const char* name = std::getenv("DATA_SOURCE_NAME");
  Settings server(Place{"environment"});
  if (name != nullptr && *name != '\0') server.put("dsn", std::string(name), {"DATA_SOURCE_NAME"});
  std::string label = "local";
  try {
    const ConnectionTarget target = target_of(server.text_or_empty("dsn"));
    if (!target.host.empty() && target.host.front() != '/') label = target.host;
  } catch (const ConfigError&) {
    label = "local";  // reported when the connection is taken
  }
  server.put("name", label, {});
  Settings settings(Place{"environment"});
  settings.put("server", std::vector<Settings>{std::move(server)}, {});
  Problems problems;
  return options_from(std::move(settings), problems);
}

}  // namespace pg_integrity
