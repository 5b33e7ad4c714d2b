#include "exporter/commands/config_check.h"

#include <cstdio>

#include "collectors/registry.h"
#include "exporter/commands/web_access.h"
#include "exporter/config/options.h"
#include "exporter/io/console.h"

namespace pg_integrity {

ExitCode check_config(const std::string& config_path) {
  const auto options = options_or_complain(config_path);
  if (!options) return ExitCode::usage;
  if (!options->web_config_file.empty()) {
    const auto faults = faults_of_web_config(options->web_config_file);
    for (const std::string& fault : faults) say(fault);
    if (!faults.empty()) return ExitCode::usage;
  }
  for (const ServerOptions& server : options->servers) {
    std::printf("server %s: %zu collectors\n", server.name.c_str(), server.collectors.size());
    for (const NotWatched& unwatched : server.not_watched)
      std::printf("  not watched: %s. HINT: %s\n", std::string(unwatched.spec->name).c_str(),
                  unwatched.hint.c_str());
  }
  return ExitCode::proven;
}

}  // namespace pg_integrity
