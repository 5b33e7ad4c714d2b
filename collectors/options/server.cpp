#include "collectors/options/server.h"

#include <initializer_list>

#include "collectors/options/audit_tables.h"

namespace pg_integrity {

WatchedServer WatchedServer::seen_from(const std::string& database) const {
  WatchedServer seen = *this;
  std::erase_if(seen.replicas,
                [&](const Replica& replica) { return replica.database != database; });
  std::erase_if(seen.accept, [&](const AcceptedDamage& accepted) {
    return !accepted.database.empty() && accepted.database != database;
  });
  return seen;
}

std::vector<Option> watched_server_options() {
  std::vector<Option> all;
  for (const std::span<const Option> options :
       {backup_options(), drill_options(), allow_options(), replica_options(), expect_options(),
        accept_options()})
    all.insert(all.end(), options.begin(), options.end());
  return all;
}

WatchedServer watched_server_from(const Settings& server, const std::string& home_database) {
  return {server.text("name"),         home_database,
          backup_sources_from(server), server.maybe_duration("recovery_point_objective"),
          drills_from(server),         replicas_from(server, home_database),
          allow_from(server),          expect_from(server),
          accepted_from(server),       audit_tables_from(server)};
}

void check_watched_server(const Settings& server, Problems& problems) {
  check_allow(server, problems);
  check_expect(server, problems);
  check_backups(server, problems);
  check_drills(server, problems);
  check_replicas(server, problems);
}

}  // namespace pg_integrity
