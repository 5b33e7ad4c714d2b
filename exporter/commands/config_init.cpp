#include "exporter/commands/config_init.h"

#include <unistd.h>

#include <memory>

#include "collectors/base/errors.h"
#include "collectors/postgres/schema_cache.h"
#include "exporter/commands/for_each_database.h"
#include "exporter/config/conninfo.h"
#include "exporter/io/clock.h"
#include "exporter/io/console.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/setup/found_backups.h"
#include "exporter/setup/found_in_database.h"
#include "exporter/setup/starting_config.h"

namespace pg_integrity {

namespace {

constexpr Seconds kSearch{20};  ///< at the directories of this machine

FoundBackups backups_here(const std::vector<std::string>& further) {
  const SystemClock clock;
  DisposableWorkers workers(clock);
  std::vector<std::string> directories = usual_directories();
  directories.insert(directories.end(), further.begin(), further.end());
  try {
    return workers.run<FoundBackups>("directories with backups", clock.now() + kSearch,
                                     [directories] { return find_backups(directories); });
  } catch (const SourceError& error) {
    say(error.what());
    return {};
  }
}

/// The connection string without its password, and whether it had one.
VisibleDsn dsn_without_password(const ServerOptions& server) {
  const std::string dsn = current_dsn(server.connection);
  VisibleDsn shown = visible(dsn, {});
  if (!shown.dsn.empty()) return shown;
  const ConnectionTarget target = target_of(dsn);  // libpq's environment
  for (const auto& [keyword, value] :
       {std::pair("host", target.host), std::pair("port", target.port),
        std::pair("dbname", target.database), std::pair("user", target.user)})
    if (!value.empty())
      shown.dsn += (shown.dsn.empty() ? "" : " ") + std::string(keyword) + "=" + value;
  return shown;
}

}  // namespace

ExitCode init_config(const InitCommand& command) {
  bool done = false;  // one server and one database are enough to begin with
  const ExitCode code = survey(
      command.config_path, [](const Options&) { return std::string(); },
      [&](const Surveyed& at) -> std::string {
        if (std::exchange(done, true)) return {};
        const auto schema = load_schema(at.session, at.server.exclude, at.clock.now());
        const VisibleDsn dsn = dsn_without_password(at.server);
        return starting_config({at.server.name, dsn.dsn, !dsn.password.empty(),
                                find_in_database(at.session, *schema, at.database),
                                backups_here(command.look_in)});
      });
  if (code == ExitCode::proven && ::isatty(STDOUT_FILENO) == 0)
    say("read it, complete it, and then run: pg_integrity_exporter config check --config FILE");
  return code;
}

}  // namespace pg_integrity
