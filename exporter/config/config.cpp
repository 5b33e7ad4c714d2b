#include "exporter/config/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>
#include <set>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/base/units.h"
#include "collectors/collector.h"
#include "collectors/options/server.h"
#include "collectors/registry.h"
#include "exporter/config/config_schema.h"
#include "exporter/config/conninfo.h"
#include "exporter/config/data_source.h"
#include "exporter/config/databases.h"
#include "exporter/config/server_files.h"
#include "exporter/config/settings_check.h"
#include "exporter/config/toml.h"

namespace pg_integrity {

namespace {

constexpr Seconds kCopyDeadline{86400};  ///< longest time of one step on a restored copy

/// The collector itself is an object, named by the collector's name alone.
bool is_object(const CollectorSpec& spec) {
  return std::any_of(spec.metrics.begin(), spec.metrics.end(), [](const MetricInfo* metric) {
    return !metric->expectation.none() && metric->label_count == 0;
  });
}

/// Reports a remote connection that may be unencrypted without the user's consent.
/// @return where the connection leads to.
ConnectionTarget require_encryption(const ConnectionOptions& connection, const Place& place,
                                    Problems& problems) {
  try {
    ConnectionTarget target = target_of(current_dsn(connection));
    if (target.remote && !target.encrypted_or_said_so)
      problems.add(place,
                   fmt::format("the connection to {} would not have to be encrypted", target.host),
                   "add sslmode=verify-full (or require), or write sslmode=prefer to accept it");
    return target;
  } catch (const ConfigError& error) {
    problems.add(place, error.what());
    return {};
  }
}

/// The target as a connection string that names no user, for people who have names of their own.
std::string address_of(const ConnectionTarget& target) {
  std::string address;
  for (const auto& [key, value] : {std::pair{"host", target.host}, std::pair{"port", target.port},
                                   std::pair{"dbname", target.database}}) {
    if (value.empty()) continue;
    address += fmt::format("{}{}='", address.empty() ? "" : " ", key);
    for (const char c : value)
      address += c == '\'' || c == '\\' ? std::string{'\\', c} : std::string{c};
    address += '\'';
  }
  return address;
}

void take_connection(const Settings& settings, ServerOptions& server, Problems& problems) {
  server.connection = {settings.text_or_empty("dsn"), settings.text_or_empty("dsn_file")};
  const std::string_view option = settings.has("dsn_file") ? "dsn_file" : "dsn";
  const ConnectionTarget target =
      require_encryption(server.connection, settings.place(option), problems);
  server.host = target.host;
  server.port = target.port;
  server.databases = settings.texts("databases");
  if (const std::string entry = pointless_entry(server.databases); !entry.empty())
    problems.add(settings.place("databases"), fmt::format("\"{}\" chooses no database", entry),
                 "a name or glob behind ! leaves databases out, such as \"!template*\"");
  const auto named = named_databases(server.databases);
  server.home_database = target.database_said || named.empty() ? target.database : named.front();
  if (server.home_database.empty() && problems.empty())
    problems.add(settings.place(), "no database is named",
                 "add dbname=… to the connection string, or databases = [\"…\"]");
  if (server.databases.empty()) server.databases = {server.home_database};
}

/// Takes over how to reach the copies.
void take_replica_connections(const Settings& settings, ServerOptions& server, Problems& problems) {
  for (const Settings& record : settings.records("replicas")) {
    const std::string& name = record.text("name");
    const ConnectionOptions connection{record.text_or_empty("dsn"),
                                       record.text_or_empty("dsn_file")};
    if (record.has("dsn") == record.has("dsn_file")) {
      problems.add(record.place(), fmt::format("replica \"{}\" needs one connection string", name),
                   "give it dsn or dsn_file");
      continue;
    }
    const ConnectionTarget target = require_encryption(
        connection, record.place(record.has("dsn_file") ? "dsn_file" : "dsn"), problems);
    server.replica_connections.push_back(
        {name, record.has("database") ? record.text("database") : server.home_database, connection,
         address_of(target)});
  }
}

/// All options that a collector's answers depend on, its own and those of the server, without
/// connection strings.
std::string depends_on(const CollectorSpec& spec, const Settings& server, Settings own) {
  for (const Option& common : kCommonOptions) own.drop(common.name);  // they change no answer
  for (const std::string_view option : spec.server_options)
    if (server.has(option)) own.put(option, server.value(option), server.place(option));
  own.for_each_record("replicas", [](Settings& replica) {
    for (const char* secret : {"dsn", "dsn_file"}) replica.drop(secret);
  });
  return own.canonical();
}

/// The options for a restored copy. We alone use the copy, so no table is too large to count, and a
/// long step keeps nobody waiting.
CollectorOptions for_copy(CollectorOptions options) {
  if (options.settings.has("exact_up_to"))
    options.settings.put("exact_up_to", std::numeric_limits<double>::infinity(), {});
  options.deadline = kCopyDeadline;
  return options;
}

void take_collector(const CollectorSpec& spec, const Settings& server_settings,
                    ServerOptions& server, Problems& problems) {
  CollectorOptions options;
  options.spec = &spec;
  options.settings = *server_settings.record("collectors")->record(spec.name);
  options.interval = options.settings.duration("interval");
  options.deadline = options.settings.duration("deadline");
  if (options.settings.has("full_check_interval"))
    options.full_check_interval = options.settings.duration("full_check_interval");
  options.depends_on = depends_on(spec, server_settings, options.settings);
  refuse_twins(spec, options.settings, server.home_database, problems);
  const Configuration given{options.settings, server};
  const bool wanted = spec.wanted == nullptr || spec.wanted(given);
  if (wanted && spec.check != nullptr) spec.check(given, problems);
  if (spec.on_copy != nullptr) server.on_copy.push_back(for_copy(options));
  if (!options.settings.flag("enabled"))
    server.not_watched.push_back({&spec, "it is disabled: remove enabled = false"});
  else if (!wanted)
    server.not_watched.push_back({&spec, std::string(spec.wanted_hint)});
  else
    server.collectors.push_back(std::move(options));
}

/// Reports backups of the server that have the same name, and copies of one database that have the
/// same name.
void refuse_server_twins(const Settings& settings, const std::string& home_database,
                         Problems& problems) {
  refuse_twins(
      settings, "backups", [](const Settings& record) { return Names{record.text("name")}; },
      problems);
  refuse_twins(
      settings, "replicas",
      [&](const Settings& record) {
        return Names{record.text("name"),
                     record.has("database") ? record.text("database") : home_database};
      },
      problems);
}

ServerOptions server_from(const Settings& settings, Problems& problems) {
  ServerOptions server;
  take_connection(settings, server, problems);
  check_watched_server(settings, problems);
  check_accepted(settings, problems);
  refuse_server_twins(settings, server.home_database, problems);
  static_cast<WatchedServer&>(server) = watched_server_from(settings, server.home_database);
  server.exclude = settings.texts("exclude");
  server.max_load = settings.number("max_load");
  server.max_sessions = static_cast<std::size_t>(settings.number("max_sessions"));
  server.series_cap = static_cast<std::size_t>(settings.number("series_cap"));
  take_replica_connections(settings, server, problems);
  for (const CollectorSpec* spec : collectors()) take_collector(*spec, settings, server, problems);
  return server;
}

/// Gives every collector a table, which may be empty, so that its options get their defaults.
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
  options.listen = parse_listen_list(settings.text("listen"));
  if (options.listen.empty())
    problems.add(settings.place("listen"), "\"listen\" is no address and port",
                 "write it as \"127.0.0.1:10187\", \"[::1]:10187\" or \":10187\"");
  options.allowed_hosts = settings.texts("allowed_hosts");
  options.web_config_file = settings.text_or_empty("web_config_file");
  options.state_dir = settings.text("state_dir");
  options.accept_dir = settings.text("accept_dir");
  options.runbooks = settings.text_or_empty("runbooks");
  if (!options.runbooks.empty() && !options.runbooks.starts_with("https://") &&
      !options.runbooks.starts_with("http://"))
    problems.add(settings.place("runbooks"), "\"runbooks\" is no address",
                 "write it as \"https://git.example/alerts/runbooks\"");
  options.reload_by_http = settings.flag("reload_by_http");
  for (const Settings& server : settings.records("server"))
    options.servers.push_back(server_from(server, problems));
  if (!problems.empty()) return problems.lines();
  return options;
}

}  // namespace

void check_accepted(const Settings& settings, Problems& problems) {
  for (const Settings& record : settings.records("accept")) {
    const std::string& object = record.text("object");
    const std::size_t slash = object.find('/');
    const CollectorSpec* collector = collector_named(object.substr(0, slash));
    if (collector == nullptr || (slash == std::string::npos && !is_object(*collector)))
      problems.add(record.place("object"), "\"object\" names nothing that a collector looks at",
                   "take it from the report, such as \"orphans/public.child.child_fkey\"");
  }
}

ReadOptions read_configuration(const std::string& path) {
  Problems problems;
  Settings settings = read_toml(path, configuration_options(), problems);
  if (settings.place().file.empty()) return problems.lines();  // nothing could be parsed
  const std::filesystem::path beside = std::filesystem::path(path).parent_path();
  ServerFiles files = add_server_files(beside, settings, problems);
  ReadOptions read = options_from(std::move(settings), problems);
  if (auto* options = std::get_if<Options>(&read)) options->server_files = std::move(files);
  if (auto* options = std::get_if<Options>(&read)) options->file = path;
  if (auto* options = std::get_if<Options>(&read); options && !options->accept_dir.empty())
    options->accept_dir = beside / options->accept_dir;
  if (auto* options = std::get_if<Options>(&read); options && !options->web_config_file.empty())
    options->web_config_file = beside / options->web_config_file;
  return read;
}

std::string standard_configuration(const std::string& path) {
  const char* name = std::getenv("DATA_SOURCE_NAME");
  if ((name != nullptr && *name != '\0') || has_data_source()) return {};
  return ::access(path.c_str(), F_OK) == 0 || errno != ENOENT ? path : std::string();
}

ReadOptions configuration_from_environment() {
  const char* name = std::getenv("DATA_SOURCE_NAME");
  const bool named = name != nullptr && *name != '\0';
  const bool composed = !named && has_data_source();
  Settings server(Place{"environment"});
  if (named) server.put("dsn", std::string(name), {"DATA_SOURCE_NAME"});
  std::string label = "local";
  try {
    if (composed) server.put("dsn", data_source_now(), {"DATA_SOURCE_URI"});
    const ConnectionTarget target = target_of(server.text_or_empty("dsn"));
    if (!target.host.empty() && target.host.front() != '/') label = target.host;
  } catch (const ConfigError& error) {
    if (composed && !server.has("dsn")) return std::vector<std::string>{error.what()};
    label = "local";  // reported when the connection is taken
  }
  server.put("name", label, {});
  Settings settings(Place{"environment"});
  settings.put("server", std::vector<Settings>{std::move(server)}, {});
  Problems problems;
  ReadOptions read = options_from(std::move(settings), problems);
  if (auto* options = std::get_if<Options>(&read)) {
    options->accept_dir.clear();
    for (ServerOptions& only : options->servers)
      if (composed) only.connection = {"", "", true};
  }
  return read;
}

}  // namespace pg_integrity
