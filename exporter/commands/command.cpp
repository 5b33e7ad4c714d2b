#include "exporter/commands/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "exporter/config/acceptances.h"
#include "exporter/io/clock.h"
#include "exporter/io/console.h"
#include "exporter/io/logging.h"

namespace pg_integrity {

ReadOptions read_options(const std::string& path) {
  const std::string file = path.empty() ? standard_configuration() : path;
  return file.empty() ? configuration_from_environment() : read_configuration(file);
}

ReadOptions read_options_with_acceptances(const std::string& config_path) {
  ReadOptions read = read_options(config_path);
  auto* options = std::get_if<Options>(&read);
  if (options == nullptr) return read;
  ReadAcceptances files = read_acceptances(*options);
  if (auto* lines = std::get_if<std::vector<std::string>>(&files)) return std::move(*lines);
  add_acceptances(std::get<std::vector<ServerAcceptance>>(files), SystemClock().unix_now(),
                  *options);
  return read;
}

std::optional<Options> options_or_complain(const std::string& config_path) {
  ReadOptions read = read_options_with_acceptances(config_path);
  if (auto* options = std::get_if<Options>(&read)) return std::move(*options);
  for (const std::string& line : std::get<std::vector<std::string>>(read)) say(line);
  return std::nullopt;
}

const ServerOptions* server_named(const Options& options, const std::string& name) {
  if (name.empty() && options.servers.size() == 1) return &options.servers.front();
  for (const ServerOptions& server : options.servers)
    if (server.name == name) return &server;
  say(name.empty() ? "there are several servers. HINT: choose one: --server NAME"
                   : fmt::format("there is no server \"{}\" in the configuration", name));
  return nullptr;
}

ExitCode interrupted_by(int signal) {
  return static_cast<ExitCode>(128 + signal);
}

void leave(ExitCode code) {
  flush_log();
  std::fflush(nullptr);
  std::_Exit(static_cast<int>(code));
}

}  // namespace pg_integrity
