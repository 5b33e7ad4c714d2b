// Needed by every command: exit codes, the configuration or a complaint, and a way to end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "exporter/config/config.h"
#include "exporter/config/options.h"

namespace pg_integrity {

/// The values that main() returns, and their reasons. A signal that interrupts a command gives
/// another one; see interrupted_by().
enum class ExitCode : std::uint8_t {
  proven = 0,    ///< everything is proven; of serve: ended as asked
  violated = 1,  ///< something is violated; of serve: it could not start, or failed later
  unproven = 2,  ///< nothing is violated, but not everything is proven
  usage = 3,     ///< the command line or the configuration cannot be used
};

/// As shells say it: 128 and the number of the signal.
ExitCode interrupted_by(int signal);

/// Reads the configuration from that file. If the path is empty, it reads standard_configuration(),
/// or the environment where there is none.
ReadOptions read_options(const std::string& config_path);

/// Reads the options. The acceptances of accept_dir are in force in them.
/// @return nothing after printing on standard error what is wrong.
std::optional<Options> options_or_complain(const std::string& config_path);

/// As read_options(), with the acceptances of accept_dir in force.
ReadOptions read_options_with_acceptances(const std::string& config_path);

/// The server of that name, or the only one if the name is empty.
/// @return nullptr after printing on standard error what is wrong.
const ServerOptions* server_named(const Options& options, const std::string& name);

/// Ends the process at once. No destructors run, because threads that cannot be ended must not meet
/// them.
[[noreturn]] void leave(ExitCode code);

}  // namespace pg_integrity
