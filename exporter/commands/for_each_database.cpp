#include "exporter/commands/for_each_database.h"
#include "exporter/io/console.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/settings.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/session.h"
#include "exporter/config/databases.h"
#include "exporter/config/options.h"
#include "exporter/io/clock.h"
#include "exporter/postgres/pqxx_session.h"
#include "exporter/postgres/session_pool.h"
#include "exporter/report/printable.h"
#include "exporter/scheduler/assignment.h"
#include "exporter/scheduler/runtime.h"

namespace pg_integrity {

namespace {

constexpr Seconds kConnect{10};
constexpr Seconds kVisit{300};  ///< of one database, however many tables it has

/// The database of the DSN, the databases that are named, and those that a glob matches.
std::vector<std::string> databases_to_visit(const ServerOptions& server, Session& session) {
  std::vector<std::string> names{server.home_database};
  const auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const std::string& name : named_databases(server.databases)) add(name);
  if (!needs_server(server.databases)) return names;
  for (const std::string& name : databases_of(session))
    if (watches(server.databases, name)) add(name);
  return names;
}

std::string survey_server(const ServerOptions& server, ProcessResources& resources,
                          const std::function<std::string(const Surveyed&)>& visit) {
  const WaitableClock& clock = resources.clock;
  SessionPool pool(
      server.name,
      make_postgres_connector(server.connection, clock, resources.watchdog, resources.workers), {},
      clock, resources.workers);
  std::string text;
  std::vector<std::string> databases{server.home_database};
  for (std::size_t i = 0; i < databases.size(); ++i) {
    const std::string database = databases[i];
    try {
      const SessionPool::Lease lease = pool.lease(database, clock.now() + kConnect);
      lease.session().set_deadline(clock.now() + kVisit);
      if (i == 0) databases = databases_to_visit(server, lease.session());
      text += visit({server, database, lease.session(), clock, i == 0});
    } catch (const SourceError& error) {
      const std::string what = error.what();
      const char* hint = what.find("HINT: ") == std::string::npos
                             ? ". HINT: it must be in reach: its catalog says what there is"
                             : "";
      throw ConfigError(fmt::format("server \"{}\", database \"{}\": {}{}", server.name,
                                    printable(database), printable(what), hint));
    }
    pool.close_idle(Seconds(0));
  }
  return text;
}

}  // namespace

ExitCode survey(const std::string& config_path,
                const std::function<std::string(const Options&)>& heading,
                const std::function<std::string(const Surveyed&)>& visit) {
  const auto options = options_or_complain(config_path);
  if (!options) return ExitCode::usage;
  const SystemClock clock;
  auto resources = std::make_unique<ProcessResources>(clock);
  ExitCode code = ExitCode::proven;
  try {
    std::string text = heading(*options);
    for (const ServerOptions& server : options->servers)
      text += survey_server(server, *resources, visit);
    std::fwrite(text.data(), 1, text.size(), stdout);
  } catch (const ConfigError& error) {
    say(error.what());
    code = ExitCode::usage;
  }
  if (resources->workers.given_up() > 0) leave(code);
  return code;
}

}  // namespace pg_integrity
