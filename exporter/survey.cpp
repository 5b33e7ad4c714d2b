#include "exporter/survey.h"

#include <algorithm>
#include <cstdio>

#include "collectors/glob.h"
#include "exporter/clock.h"
#include "exporter/postgres.h"
#include "exporter/printable.h"
#include "exporter/runtime.h"
#include "exporter/session_pool.h"

namespace pg_integrity {

namespace {

constexpr Seconds kConnect{10};
constexpr Seconds kVisit{300};  ///< of one database, however many tables it has

/// The database of the DSN, those that are named and those that a glob means.
std::vector<std::string> databases_to_visit(const ServerOptions& server, Session& session) {
  std::vector<std::string> names{server.home_database};
  const auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const std::string& name : server.databases)
    if (!is_glob(name)) add(name);
  if (!has_globs(server)) return names;
  for (const std::string& name : databases_of(session))
    if (matches_any_glob(server.databases, name)) add(name);
  return names;
}

std::string survey_server(const ServerOptions& server, Machinery& machinery,
                          const std::function<std::string(const Surveyed&)>& visit) {
  const Clock& clock = machinery.clock;
  SessionPool pool(
      server.name,
      make_postgres_connector(server.connection, clock, machinery.watchdog, machinery.workers), {},
      clock, machinery.workers);
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
      throw ConfigError("server \"" + server.name + "\", database \"" + printable(database) +
                        "\": " + printable(what) +
                        (what.find("HINT: ") == std::string::npos
                             ? ". HINT: it must be in reach: its catalog says what there is"
                             : ""));
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
  auto machinery = std::make_unique<Machinery>(clock);
  ExitCode code = ExitCode::proven;
  try {
    std::string text = heading(*options);
    for (const ServerOptions& server : options->servers)
      text += survey_server(server, *machinery, visit);
    std::fwrite(text.data(), 1, text.size(), stdout);
  } catch (const ConfigError& error) {
    say(error.what());
    code = ExitCode::usage;
  }
  if (machinery->workers.given_up() > 0) leave(code);
  return code;
}

}  // namespace pg_integrity
