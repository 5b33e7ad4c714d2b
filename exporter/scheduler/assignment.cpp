#include "exporter/scheduler/assignment.h"

#include <algorithm>

#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "collectors/registry.h"
#include "exporter/config/databases.h"

namespace pg_integrity {

Settings settings_for(const CollectorOptions& options, const std::string& database,
                      const std::string& home_database) {
  Settings settings = options.settings;
  for (const Option& option : options.spec->options) {
    const bool by_database = std::any_of(option.members.begin(), option.members.end(),
                                         [](const Option& m) { return m.name == "database"; });
    if (option.type == OptionType::records && by_database)
      settings.keep_records(option.name, [&](const Settings& record) {
        return (record.has("database") ? record.text("database") : home_database) == database;
      });
  }
  return settings;
}

std::vector<Assignment> collectors_on(const ServerOptions& options, const std::string& database) {
  const bool named = watches(options.databases, database);
  const bool home = database == options.home_database;
  std::vector<Assignment> assigned;
  for (const CollectorOptions& collector : options.collectors) {
    if (collector.spec->scope == Scope::server ? !home : !named) continue;
    Assignment one{&collector, settings_for(collector, database, options.home_database),
                   options.seen_from(database)};
    const auto wanted = collector.spec->wanted;
    if (wanted == nullptr || wanted({one.settings, one.server})) assigned.push_back(std::move(one));
  }
  return assigned;
}

std::vector<std::string> databases_of(Session& session) {
  const Rows rows =
      // datconnlimit is -2 after a DROP DATABASE that was interrupted. It can only be dropped
      // again.
      session.query(
          "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND "
          "datconnlimit <> -2");
  std::vector<std::string> names;
  for (std::size_t i = 0; i < rows.size(); ++i) names.push_back(rows[i].text("datname"));
  return names;
}

}  // namespace pg_integrity
