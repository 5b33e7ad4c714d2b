#include "exporter/config/config_schema.h"

#include <algorithm>
#include <vector>

#include "collectors/collector.h"
#include "collectors/options/server.h"
#include "collectors/registry.h"

namespace pg_integrity {

namespace {

constexpr Option kOwnServerOptions[] = {
    {.name = "name", .help = "label `server`; unique", .required = true},
    {.name = "dsn",
     .help = "libpq connection string or URI; default: libpq's environment (PGHOST, PGSERVICE, …)"},
    {.name = "dsn_file", .help = "a file that holds the connection string; read at each connect"},
    {.name = "databases",
     .type = OptionType::texts,
     .help =
         "databases to watch, by name or glob, \"!\" before one leaves it out; default: that of the"
         " connection string"},
    {.name = "exclude",
     .type = OptionType::texts,
     .help = "globs over \"schema.table\": what they match is not looked at, only counted"},
    {.name = "max_load",
     .type = OptionType::number,
     .fallback = "0.05",
     .help = "share of one session's time that this server may be kept busy",
     .min = 0.001,
     .max = 1},
    {.name = "max_sessions",
     .type = OptionType::integer,
     .fallback = "2",
     .help = "sessions with this server at any time, whatever the number of its databases",
     .min = 1,
     .max = 16},
    {.name = "series_cap",
     .type = OptionType::integer,
     .fallback = "10000",
     .help = "series of one collector on the page",
     .min = 10,
     .max = 1000000}};

/// Owns the options of the tree. The options of each collector are joined with the common ones. All
/// spans point into these vectors.
struct Tree {
  std::vector<std::vector<Option>> collectors;
  std::vector<Option> collector_table;
  std::vector<Option> server;
  std::vector<Option> defaults;
  std::vector<Option> top;
  std::vector<Option> server_file;

  Tree() {
    server.assign(std::begin(kOwnServerOptions), std::end(kOwnServerOptions));
    for (const Option& option : watched_server_options()) server.push_back(option);
    for (const CollectorSpec* spec : ::pg_integrity::collectors()) add_collector(*spec);
    server.push_back({.name = "collectors",
                      .type = OptionType::record,
                      .help = "one table a collector",
                      .members = collector_table});
    for (const Option& option : server)
      if (option.name != "name" && !option.name.starts_with("dsn") && option.name != "accept")
        defaults.push_back(option);
    top = {
        {.name = "listen",
         .fallback = "127.0.0.1:10187",
         .help = "address and port of the HTTP server; \":10187\" is every address; several are"
                 " separated by commas"},
        {.name = "allowed_hosts",
         .type = OptionType::texts,
         .help = "globs over names by which clients may call the HTTP server, beside localhost "
                 "and any address; others get 421 unless they use TLS"},
        {.name = "web_config_file",
         .help = "TLS, passwords and headers of the HTTP server, in a file of the format that "
                 "Prometheus's exporters share, beside this file unless it begins with /"},
        {.name = "state_dir",
         .fallback = "/var/lib/pg_integrity_exporter",
         .help = "directory for evidence that survives a restart"},
        {.name = "accept_dir",
         .fallback = "accept.d",
         .help = "directory of *.toml files with [[accept]] tables, beside this file unless it "
                 "begins with /; looked at every 30 s"},
        {.name = "servers_dir",
         .fallback = "servers.d",
         .help =
             "directory of *.toml files with further [[server]] tables, and of *.json files with "
             "targets as Prometheus' file_sd has them, beside this file unless it begins with "
             "/; looked at every 30 s"},
        {.name = "targets_dsn",
         .help = "the connection string of servers in *.json files, without host and port"},
        {.name = "runbooks",
         .help = "address of the folder with the runbooks of alerts/, http or https: the report "
                 "then links to them"},
        {.name = "reload_by_http",
         .type = OptionType::flag,
         .fallback = "false",
         .help = "true: POST /-/reload reads the configuration anew, as SIGHUP does"},
        {.name = "defaults",
         .type = OptionType::record,
         .help = "what holds for every server below, unless it says otherwise, key by key",
         .members = defaults},
        {.name = "server",
         .type = OptionType::records,
         .help = "a server to watch",
         .required = true,
         .members = server}};
    server_file = {top.back()};
  }

  void add_collector(const CollectorSpec& spec) {
    std::vector<Option> options;
    for (Option common : kCommonOptions) {
      if (common.name == "full_check_interval" && spec.depends_on != DependsOn::tables) continue;
      if (common.name == "interval") common.fallback = spec.interval;
      if (common.name == "deadline") common.fallback = spec.deadline;
      options.push_back(common);
    }
    options.insert(options.end(), spec.options.begin(), spec.options.end());
    collectors.push_back(std::move(options));
    collector_table.push_back({.name = spec.name,
                               .type = OptionType::record,
                               .help = spec.summary,
                               .members = collectors.back()});
  }
};

const Tree& tree() {
  static const Tree tree;
  return tree;
}

}  // namespace

std::span<const Option> configuration_options() {
  return tree().top;
}

std::span<const Option> server_options() {
  return tree().server;
}

std::span<const Option> server_file_options() {
  return tree().server_file;
}

}  // namespace pg_integrity
