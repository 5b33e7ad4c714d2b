#include "exporter/cli.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>

#include "exporter/app.h"
#include "exporter/catalogue.h"
#include "exporter/explain.h"
#include "exporter/grants.h"
#include "exporter/logging.h"
#include "exporter/version.h"

namespace pg_integrity {

namespace {

const std::map<std::string, LogLevel> kLogLevels{{"debug", LogLevel::debug},
                                                 {"info", LogLevel::info},
                                                 {"warning", LogLevel::warning},
                                                 {"error", LogLevel::error}};
const std::map<std::string, ReportFormat> kFormats{{"text", ReportFormat::text},
                                                   {"markdown", ReportFormat::markdown},
                                                   {"json", ReportFormat::json}};

struct Arguments {
  GrantsCommand grants;
  ExplainCommand explain;
  std::string config;
  std::string log_level;
  std::string listen;
  std::string format;
  bool recorded = false;
};

template <typename Value>
CLI::Validator one_of(const std::map<std::string, Value>& values) {
  std::vector<std::string> names;
  for (const auto& [name, value] : values) names.push_back(name);
  return CLI::IsMember(names);
}

void add_config(CLI::App& command, Arguments& arguments) {
  command.add_option("-c,--config", arguments.config,
                     "configuration file; without it DATA_SOURCE_NAME or libpq's environment");
}

CLI::App* add_grants(CLI::App& app, GrantsCommand& grants) {
  CLI::App* command = app.add_subcommand(
      "grants", "print the least privileges for what is enabled, as SQL for psql");
  command->add_flag("--column-wise", grants.column_wise, "grant single columns, no whole tables");
  command->add_option("--role", grants.role, "the role")->default_val("pgintegrity");
  command->add_flag("--generic", grants.generic, "for any database, without looking at one");
  return command;
}

CLI::App* add_explain(CLI::App& app, ExplainCommand& explain) {
  CLI::App* command = app.add_subcommand(
      "explain", "print what would be asked of databases, files and endpoints; asks nothing of it");
  command->add_option("--collector", explain.collectors, "this one only; may be repeated");
  command->add_flag("--cost", explain.cost, "with the planner's estimates (EXPLAIN)");
  return command;
}

int code_of(ExitCode code) {
  return static_cast<int>(code);
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  Arguments arguments;
  CLI::App app{
      "Watches whether the data of PostgreSQL databases is intact and could be recovered."};
  app.name("pg_integrity_exporter");
  app.set_version_flag("--version",
                       std::string("pg_integrity_exporter ") + kVersion + " (" + kRevision + ")");
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.add_option("--log-level", arguments.log_level,
                 "debug, info, warning or error; default: info when serving, else warning")
      ->check(one_of(kLogLevels));
  add_config(app, arguments);
  const std::string listen_help = "address:port, in place of the configured one";
  app.add_option("--listen", arguments.listen, listen_help);

  CLI::App* serve_command = app.add_subcommand("serve", "serve metrics (the default)");
  CLI::App* check_command = app.add_subcommand(
      "check", "look at everything once and report; 0 proven, 1 violated, 2 unproven, 3 unusable");
  check_command->add_option("--format", arguments.format, "text, markdown or json")
      ->check(one_of(kFormats))
      ->default_val("text");
  check_command->add_flag("--recorded", arguments.recorded,
                          "report the evidence on record, without touching the database");
  CLI::App* config_command = app.add_subcommand("config", "about the configuration");
  config_command->require_subcommand(1);
  CLI::App* config_check_command =
      config_command->add_subcommand("check", "say what is wrong with the configuration");
  CLI::App* catalogue_command =
      app.add_subcommand("catalogue", "print every metric and configuration key");
  std::string catalogue_format;
  catalogue_command->add_option("--format", catalogue_format, "markdown or json")
      ->check(CLI::IsMember({"markdown", "json"}))
      ->default_val("markdown");

  const CLI::App* grants_command = add_grants(app, arguments.grants);
  const CLI::App* explain_command = add_explain(app, arguments.explain);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::fprintf(stderr, "pg_integrity_exporter: %s. HINT: see pg_integrity_exporter --help\n",
                 error.what());
    return code_of(ExitCode::usage);
  }
  const bool serving = app.get_subcommands().empty() || serve_command->parsed();
  if (arguments.log_level.empty()) arguments.log_level = serving ? "info" : "warning";
  start_logging(kLogLevels.at(arguments.log_level));
  if (catalogue_command->parsed()) {
    const std::string text =
        catalogue_format == "json" ? catalogue_as_json() : catalogue_as_markdown();
    std::fwrite(text.data(), 1, text.size(), stdout);
    return 0;
  }
  if (config_check_command->parsed()) return code_of(check_config(arguments.config));
  arguments.grants.config_path = arguments.config;
  arguments.explain.config_path = arguments.config;
  if (grants_command->parsed()) return code_of(print_grants(arguments.grants));
  if (explain_command->parsed()) return code_of(explain(arguments.explain));
  if (check_command->parsed())
    return code_of(check({arguments.config, kFormats.at(arguments.format), arguments.recorded}));
  return code_of(serve({arguments.config, arguments.listen}));
}

}  // namespace pg_integrity
