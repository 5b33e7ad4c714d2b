#include "exporter/runtime.h"

#include "exporter/postgres.h"

namespace pg_integrity {

Runtime::Runtime(Options options, Machinery& machinery, const std::shared_ptr<const Record>& record,
                 const Snapshot* before)
    : options_(std::move(options)) {
  std::vector<std::shared_ptr<const ServerOptions>> servers;
  for (const ServerOptions& server : options_.servers)
    servers.push_back(std::make_shared<const ServerOptions>(server));
  evidence_ = std::make_shared<Evidence>(machinery.clock, servers, before);
  const auto connect =
      [&machinery](const ConnectionOptions& connection) -> std::shared_ptr<Connector> {
    return make_postgres_connector(connection, machinery.clock, machinery.watchdog,
                                   machinery.workers);
  };
  sampler_ = std::make_unique<Sampler>(servers, connect, machinery.clock, machinery.workers,
                                       machinery.slots, *evidence_, record);
}

}  // namespace pg_integrity
