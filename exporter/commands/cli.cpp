#include "exporter/commands/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <optional>
#include <string_view>

#include "collectors/base/settings.h"
#include "collectors/options/backup_sources.h"
#include "collectors/registry.h"
#include "exporter/commands/accept.h"
#include "exporter/commands/backups.h"
#include "exporter/commands/catalogue.h"
#include "exporter/commands/check.h"
#include "exporter/commands/command.h"
#include "exporter/commands/config_check.h"
#include "exporter/commands/config_init.h"
#include "exporter/commands/drill.h"
#include "exporter/commands/explain.h"
#include "exporter/commands/grants.h"
#include "exporter/commands/healthcheck.h"
#include "exporter/commands/history.h"
#include "exporter/commands/record_dump.h"
#include "exporter/commands/serve.h"
#include "exporter/decoding/decode.h"
#include "exporter/io/console.h"
#include "exporter/io/decoder_wire.h"
#include "exporter/io/logging.h"
#include "exporter/io/process_limits.h"
#include "exporter/version.h"

namespace pg_integrity {

namespace {

const std::map<std::string, LogLevel> kLogLevels{{"debug", LogLevel::debug},
                                                 {"info", LogLevel::info},
                                                 {"warning", LogLevel::warning},
                                                 {"warn", LogLevel::warning},
                                                 {"error", LogLevel::error}};
const std::map<std::string, LogFormat> kLogFormats{{"logfmt", LogFormat::logfmt},
                                                   {"json", LogFormat::json}};
const std::map<std::string, ReportFormat> kFormats{{"text", ReportFormat::text},
                                                   {"markdown", ReportFormat::markdown},
                                                   {"json", ReportFormat::json},
                                                   {"nagios", ReportFormat::nagios}};

const std::map<std::string, OverviewFormat> kOverviewFormats{{"text", OverviewFormat::text},
                                                             {"json", OverviewFormat::json}};

struct Arguments {
  AcceptCommand accept;
  GrantsCommand grants;
  ExplainCommand explain;
  DrillCommand drill;
  RecordCommand record;
  InitCommand init;
  PeriodCommand period;
  VerifyCommand verify;
  bool record_dump = false;
  std::string config;
  std::string log_level;
  std::vector<std::string> listen;
  std::string web_config;
  std::string log_format;
  bool systemd_socket = false;
  std::string format;
  std::string overview_format;
  bool recorded = false;
  bool live = false;
  bool only_bad = false;
};

template <typename Value>
CLI::Validator one_of(const std::map<std::string, Value>& values) {
  std::vector<std::string> names;
  for (const auto& [name, value] : values) names.push_back(name);
  return CLI::IsMember(names);
}

void add_config(CLI::App& command, Arguments& arguments) {
  command.add_option(
      "-c,--config,--config.file", arguments.config,
      "configuration file; default: DATA_SOURCE_NAME, else the file that packages install, "
      "else libpq's environment");
}

CLI::App* add_check(CLI::App& app, Arguments& arguments) {
  CLI::App* command = app.add_subcommand(
      "check",
      "make one full pass and report; exit code 0 proven, 1 violated, 2 unproven, 3 unusable, 128 "
      "and the number of a signal that interrupted it");
  command
      ->add_option("--format", arguments.format,
                   "text, markdown, json, or nagios: one line with the codes of plugins, 0 proven, "
                   "1 unproven, 2 violated, 3 unusable or out of reach")
      ->check(one_of(kFormats))
      ->default_val("text");
  CLI::Option* recorded =
      command->add_flag("--recorded", arguments.recorded,
                        "report the evidence on record, without touching the database; the default "
                        "of --format nagios");
  command->add_flag("--live", arguments.live, "check now; the default of all other formats")
      ->excludes(recorded);
  command->add_flag("--only-bad", arguments.only_bad,
                    "leave out what is neither violated nor unproven");
  return command;
}

ExitCode run_check(const Arguments& arguments) {
  const ReportFormat format = kFormats.at(arguments.format);
  if (arguments.only_bad && format == ReportFormat::markdown) {
    say("a chapter without its evidence would read as unproven. HINT: --only-bad goes with "
        "--format "
        "text or json");
    return ExitCode::usage;
  }
  std::optional<bool> recorded;
  if (arguments.recorded || arguments.live) recorded = arguments.recorded;
  return check({arguments.config, format, recorded, arguments.only_bad});
}

CLI::App* add_grants(CLI::App& app, GrantsCommand& grants) {
  CLI::App* command = app.add_subcommand(
      "grants", "print the least privileges for what is enabled, as SQL for psql");
  command->add_flag("--column-wise", grants.column_wise, "grant single columns, no whole tables");
  command->add_option("--role", grants.role, "the role")->default_val("pgintegrity");
  command->add_flag("--generic", grants.generic, "for any database, without looking at one");
  return command;
}

CLI::App* add_accept(CLI::App& app, AcceptCommand& accept) {
  CLI::App* command = app.add_subcommand(
      "accept", "accept known damage or losses for a while; prints TOML for accept_dir");
  command->add_option("object", accept.objects,
                      "as the report names it, such as orphans/public.child.child_fkey");
  command->add_flag("--changes", accept.changes,
                    "everything that is gone, or that can no longer be checked");
  command->add_option("--reason", accept.reason, "why; shown in the report")->required();
  command->add_option("--until", accept.until,
                      "from this day on it counts again; default: in 30 days");
  command->add_option("--at-most", accept.at_most,
                      "how far its values may be off; default: as far as they are now");
  command->add_option("--by", accept.by, "who accepts it; default: you");
  command->add_option("--server", accept.server, "where it is, if several servers have it");
  command->add_option("--database", accept.database, "where it is, if several databases have it");
  command->add_flag("--now", accept.now,
                    "tell the exporter that runs on this machine, which keeps it in its state_dir");
  return command;
}

CLI::App* add_explain(CLI::App& app, ExplainCommand& explain) {
  CLI::App* command = app.add_subcommand(
      "explain", "print what would be asked of databases, files and endpoints; asks nothing of it");
  command->add_option("--collector", explain.collectors, "this one only; may be repeated");
  command->add_flag("--cost", explain.cost, "with the planner's estimates (EXPLAIN)");
  return command;
}

CLI::App* add_drill(CLI::App& app, Arguments& arguments) {
  CLI::App* command = app.add_subcommand(
      "drill",
      "restore the newest backups into a throwaway server and compare; 0 proven, 1 a backup "
      "failed, 2 unproven, 3 unusable");
  DrillCommand& drill = arguments.drill;
  command->add_option("--server", drill.server, "the server whose backups; default: the only one");
  command->add_option("--source", drill.source, "this backup source only");
  command->add_option("--kind", drill.kind, "this kind of backup only");
  command->add_option("--backup", drill.backup, "this file or folder, not the newest");
  CLI::Option* target_time = command->add_option("--target-time", drill.target_time,
                                                 "of a repository: recover to this moment (UTC, "
                                                 "2026-01-31T12:00:00), not to the newest point");
  CLI::Option* random_target =
      command->add_flag("--random-target", drill.random_target,
                        "of a repository: recover to a moment since its newest backup");
  random_target->excludes(target_time);
  command->add_option("--seed", drill.seed, "--random-target: choose as a drill before did")
      ->check(CLI::Range(std::uint64_t{0}, (std::uint64_t{1} << 53U) - 1))
      ->needs(random_target);
  command->add_option("--target", drill.target,
                      "connection string of an empty database, in place of a throwaway server");
  command->add_option("--jobs", drill.jobs, "parallel jobs of pg_restore or pg_dump")
      ->check(CLI::Range(1, 64))
      ->default_val(1);
  command->add_option("--user", drill.user, "as root: whose process the throwaway server is")
      ->default_val("postgres");
  command->add_option("--work-dir", drill.work_dir,
                      "where the throwaway server is made; default: TMPDIR or /var/tmp");
  CLI::Option* proof_only = command->add_flag(
      "--proof-only", drill.proof_only, "read the newest backups to their end; restore nothing");
  CLI::Option* record = command->add_flag("--record", arguments.record_dump,
                                          "take a dump, and record what its tables hold");
  record->excludes(proof_only);
  command->add_option("--dump", arguments.record.dump, "--record: the dump to be written")
      ->needs(record);
  command
      ->add_option("--database", arguments.record.database,
                   "--record: default: that of the connection string")
      ->needs(record);
  command->add_option("--format", arguments.record.format, "--record: custom or directory")
      ->check(CLI::IsMember({"custom", "directory"}))
      ->default_val("custom");
  return command;
}

CLI::App* add_backups(CLI::App& app, Arguments& arguments) {
  CLI::App* command = app.add_subcommand(
      "backups",
      "list the backups of each source: what counts and why not, how it was proved, when the next "
      "one is due; 0 proven, 1 violated, 2 unproven, 3 unusable");
  command->add_option("--format", arguments.overview_format, "text or json")
      ->check(one_of(kOverviewFormats))
      ->default_val("text");
  return command;
}

CLI::App* add_report(CLI::App& app, PeriodCommand& period) {
  CLI::App* command = app.add_subcommand(
      "report",
      "print what was proven in a period, what changed, and who accepted what, from the record of "
      "the exporter on this machine; Markdown");
  command->add_option("--since", period.since, "a span of time such as 7d, or a day")
      ->default_val("7d");
  command->add_option("--export", period.export_file, "also write the whole history to this file");
  return command;
}

struct HistoryCommands {
  const CLI::App* to_export = nullptr;
  const CLI::App* to_verify = nullptr;
};

HistoryCommands add_history_commands(CLI::App& app, VerifyCommand& verify) {
  CLI::App* command = app.add_subcommand("history", "about the history of verdicts");
  command->require_subcommand(1);
  const CLI::App* to_export = command->add_subcommand(
      "export", "print the history as lines of JSON, each with the SHA-256 of the line before");
  CLI::App* to_verify = command->add_subcommand("verify",
                                                "hold an export against a filed hash; 0 it fits, 1 "
                                                "a line was changed, removed or added, 2 it "
                                                "cannot be told, 3 unusable");
  to_verify->add_option("file", verify.file, "an export; -: standard input")->required();
  to_verify->add_option("--hash", verify.hash, "SHA-256 of the history, of a filed report");
  to_verify->add_option("--number", verify.number, "number of the line that it is of");
  return {to_export, to_verify};
}

ExitCode run_drill(Arguments& arguments) {
  if (!arguments.record_dump) {
    arguments.drill.config_path = arguments.config;
    return drill(arguments.drill);
  }
  arguments.record.config_path = arguments.config;
  arguments.record.server = arguments.drill.server;
  arguments.record.jobs = arguments.drill.jobs;
  return record_dump(arguments.record);
}

int code_of(ExitCode code) {
  return static_cast<int>(code);
}

int run_parsed(int argc, const char* const* argv) {
  Arguments arguments;
  CLI::App app{
      "Watches whether the data of PostgreSQL databases is intact and could be recovered."};
  app.name("pg_integrity_exporter");
  app.set_version_flag("--version",
                       fmt::format("pg_integrity_exporter {} ({})", kVersion, kRevision));
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.add_option("--log-level,--log.level", arguments.log_level,
                 "debug, info, warning or error; default: info when serving, else warning")
      ->check(one_of(kLogLevels));
  app.add_option("--log.format", arguments.log_format, "logfmt or json")
      ->check(one_of(kLogFormats))
      ->default_val("logfmt");
  add_config(app, arguments);
  app.add_option("--listen,--web.listen-address", arguments.listen,
                 "address:port, in place of the configured one; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--web.config.file", arguments.web_config,
                 "TLS, passwords and headers, in place of the configured web_config_file");
  app.add_flag("--web.systemd-socket", arguments.systemd_socket,
               "listen on the sockets that systemd hands over, not on addresses");

  CLI::App* serve_command = app.add_subcommand("serve", "serve metrics (the default)");
  const CLI::App* check_command = add_check(app, arguments);
  CLI::App* config_command = app.add_subcommand("config", "about the configuration");
  config_command->require_subcommand(1);
  CLI::App* config_check_command =
      config_command->add_subcommand("check", "say what is wrong with the configuration");
  CLI::App* config_init_command = config_command->add_subcommand(
      "init",
      "print a first configuration, from what is found in the database and on this machine; reads "
      "the catalog alone");
  config_init_command
      ->add_option("--look-in", arguments.init.look_in,
                   "a further directory in which dumps may be; may be repeated")
      ->allow_extra_args(false);
  CLI::App* catalogue_command =
      app.add_subcommand("catalogue", "print every metric and configuration key");
  std::string catalogue_format;
  catalogue_command->add_option("--format", catalogue_format, "markdown or json")
      ->check(CLI::IsMember({"markdown", "json"}))
      ->default_val("markdown");

  const CLI::App* grants_command = add_grants(app, arguments.grants);
  const CLI::App* accept_command = add_accept(app, arguments.accept);
  const CLI::App* explain_command = add_explain(app, arguments.explain);
  const CLI::App* drill_command = add_drill(app, arguments);
  const CLI::App* backups_command = add_backups(app, arguments);
  const CLI::App* report_command = add_report(app, arguments.period);
  const HistoryCommands history = add_history_commands(app, arguments.verify);
  HealthcheckCommand healthy;
  CLI::App* healthcheck_command = app.add_subcommand(
      "healthcheck",
      "ask the exporter on this machine whether it is healthy; 0 yes, 1 no, 3 unusable");
  healthcheck_command->add_flag("--ready", healthy.ready, "whether it is ready, as well");

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
  start_logging(kLogLevels.at(arguments.log_level), kLogFormats.at(arguments.log_format));
  if (catalogue_command->parsed()) {
    const std::string text =
        catalogue_format == "json" ? catalogue_as_json() : catalogue_as_markdown();
    std::fwrite(text.data(), 1, text.size(), stdout);
    return 0;
  }
  if (config_check_command->parsed()) return code_of(check_config(arguments.config));
  arguments.init.config_path = arguments.config;
  if (config_init_command->parsed()) return code_of(init_config(arguments.init));
  arguments.grants.config_path = arguments.config;
  arguments.explain.config_path = arguments.config;
  arguments.accept.config_path = arguments.config;
  arguments.period.config_path = arguments.config;
  if (report_command->parsed()) return code_of(report_period(arguments.period));
  if (history.to_export->parsed()) return code_of(export_history(arguments.config));
  if (history.to_verify->parsed()) return code_of(verify_history(arguments.verify));
  if (accept_command->parsed()) return code_of(accept(arguments.accept));
  if (grants_command->parsed()) return code_of(print_grants(arguments.grants));
  if (explain_command->parsed()) return code_of(explain(arguments.explain));
  if (backups_command->parsed())
    return code_of(
        show_backups({arguments.config, kOverviewFormats.at(arguments.overview_format)}));
  if (drill_command->parsed()) return code_of(run_drill(arguments));
  if (check_command->parsed()) return code_of(run_check(arguments));
  if (healthcheck_command->parsed())
    return code_of(healthcheck({arguments.config, arguments.listen, healthy.ready}));
  return code_of(
      serve({arguments.config, arguments.listen, arguments.web_config, arguments.systemd_socket}));
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  set_process_limits();
  if (argc == 2 && std::string_view(argv[1]) == kDecodeSubcommand)
    return decoding::decode_for_exporter();
  try {
    const int code = run_parsed(argc, argv);
    flush_log();
    return code;
  } catch (const std::exception& error) {  // no memory, or no thread
    say(
        fmt::format("it cannot go on: {}. HINT: raise the limits of memory, threads and files that"
                    " this process has",
                    error.what()));
    return code_of(ExitCode::violated);
  }
}

}  // namespace pg_integrity
