#include "exporter/commands/config_check.h"

#include <cstdio>

#include "collectors/registry.h"
#include "exporter/config/options.h"

namespace pg_integrity {

ExitCode check_config(const std::string& config_path) {
  const auto options = options_or_complain(config_path);
  if (!options) return ExitCode::usage;
  for (const ServerOptions& server : options->servers) {
    std::printf("server %s: %zu collectors\n", server.name.c_str(), server.collectors.size());
    for (const NotWatched& unwatched : server.not_watched)
      std::printf("  not watched: %s. HINT: %s\n", std::string(unwatched.spec->name).c_str(),
                  unwatched.hint.c_str());
  }
  return ExitCode::proven;
}

}  // namespace pg_integrity
