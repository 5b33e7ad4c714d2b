#include "exporter/scheduler/runtime.h"

#include "exporter/postgres/live_session.h"
#include "exporter/postgres/pqxx_session.h"

namespace pg_integrity {

Runtime::Runtime(Options options, ProcessResources& resources,
                 const std::shared_ptr<const SavedEvidence>& saved)
    : options_(std::move(options)) {
  std::vector<std::shared_ptr<const ServerOptions>> servers;
  for (const ServerOptions& server : options_.servers)
    servers.push_back(std::make_shared<const ServerOptions>(server));
  evidence_ = std::make_shared<Evidence>(resources.clock, servers, &resources.news);
  const auto connect =
      [&resources](const ConnectionOptions& connection) -> std::shared_ptr<Connector> {
    return make_postgres_connector(connection, resources.clock, resources.watchdog,
                                   resources.workers);
  };
  scheduler_ = std::make_unique<Scheduler>(servers, connect, resources.clock, resources.workers,
                                           resources.slots, *evidence_, saved);
}

}  // namespace pg_integrity
