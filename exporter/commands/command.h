// What every command needs: exit codes, the configuration or a complaint, and a way to end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "exporter/config/config.h"
#include "exporter/config/options.h"

namespace pg_integrity {

/// What main() returns, and why.
enum class ExitCode : std::uint8_t {
  proven = 0,    ///< everything is proven; of serve: ended as asked
  violated = 1,  ///< something is violated; of serve: it could not start
  unproven = 2,  ///< nothing is violated, but not everything is proven
  usage = 3,     ///< the command line or the configuration cannot be used
};

/// The configuration in that file, or the one that the environment gives if there is no path.
ReadOptions read_options(const std::string& config_path);

/// The options, or nothing after having said on standard error what is wrong.
std::optional<Options> options_or_complain(const std::string& config_path);

/// The server of that name, or the only one there is; nullptr after having said what is wrong.
const ServerOptions* server_named(const Options& options, const std::string& name);

/// Ends the process at once: threads that nothing can end must not meet destructors.
[[noreturn]] void leave(ExitCode code);

}  // namespace pg_integrity
