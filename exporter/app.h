// Builds, starts and stops everything: the long-running exporter and the one-shot check.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "exporter/options.h"

namespace pg_integrity {

/// What main() returns, and why.
enum class ExitCode : std::uint8_t {
  proven = 0,    ///< everything is proven; of serve: ended as asked
  violated = 1,  ///< something is violated; of serve: it could not start
  unproven = 2,  ///< nothing is violated, but not everything is proven
  usage = 3,     ///< the command line or the configuration cannot be used
};

enum class ReportFormat : std::uint8_t { text, markdown, json };

struct ServeCommand {
  std::string config_path;  ///< empty: the environment
  std::string listen;       ///< empty: as configured
};

struct CheckCommand {
  std::string config_path;  ///< empty: the environment
  ReportFormat format = ReportFormat::text;
  bool recorded = false;  ///< the verdict on record, without touching the database
};

/// Runs until SIGTERM or SIGINT; SIGHUP reads the configuration anew. Call it before any other
/// thread is started: it blocks those signals for all.
ExitCode serve(const ServeCommand& command);

/// Looks at everything once and prints the report on standard output.
ExitCode check(const CheckCommand& command);

/// Says what is wrong with a configuration, or that nothing is.
ExitCode check_config(const std::string& config_path);

/// One line on standard error.
void say(const std::string& line);

/// The options, or nothing after having said what is wrong.
std::optional<Options> options_or_complain(const std::string& config_path);

/// Ends the process at once: threads that nothing can end must not meet destructors.
[[noreturn]] void leave(ExitCode code);

}  // namespace pg_integrity
