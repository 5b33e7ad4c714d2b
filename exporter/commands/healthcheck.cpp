#include "exporter/commands/healthcheck.h"

#include <fmt/format.h>

#include <cstdio>
#include <optional>

#include "exporter/config/options.h"
#include "exporter/http/listening.h"
#include "exporter/io/console.h"

namespace pg_integrity {

namespace {

/// The port of the exporter that is asked.
std::optional<int> port_of_exporter(const HealthcheckCommand& command) {
  if (!command.listen.empty()) {
    const auto addresses = parse_listen_list(command.listen.front());
    if (!addresses.empty()) return addresses.front().port;
    say(fmt::format("--listen: \"{}\" is no address and port. HINT: write it as 127.0.0.1:10187",
                    command.listen.front()));
    return std::nullopt;
  }
  const auto options = options_or_complain(command.config_path);
  if (!options) return std::nullopt;
  return options->listen.front().port;
}

}  // namespace

ExitCode healthcheck(const HealthcheckCommand& command) {
  const auto port = port_of_exporter(command);
  if (!port) return ExitCode::usage;
  const int status = probe(*port, command.ready ? "/-/ready" : "/-/healthy");
  if (status == 0) {
    say(
        fmt::format("no exporter of this user answers for port {}. HINT: run healthcheck in its"
                    " container, as its user or as root, with its --config or --listen",
                    *port));
    return ExitCode::violated;
  }
  if (status != 200) {
    say(command.ready ? "the exporter is not ready" : "the exporter is not healthy");
    return ExitCode::violated;
  }
  std::puts(command.ready ? "ready" : "healthy");
  return ExitCode::proven;
}

}  // namespace pg_integrity
