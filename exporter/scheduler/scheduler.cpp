#include "exporter/scheduler/scheduler.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "collectors/base/instant.h"
#include "exporter/config/options.h"
#include "exporter/postgres/session_socket.h"
#include "exporter/scheduler/server_run.h"

namespace pg_integrity {

namespace {

constexpr Seconds kCancelPatience{1.5};  ///< to react to cancelling, before sessions are cut off

}  // namespace

Scheduler::Scheduler(const std::vector<std::shared_ptr<const ServerOptions>>& servers,
                     const MakeConnector& make_connector, const WaitableClock& clock,
                     const DisposableWorkers& workers, ServerSlots& slots, Evidence& evidence,
                     const std::shared_ptr<const SavedEvidence>& saved)
    : clock_(clock), workers_(workers.sibling()) {
  const auto slots_of = [&](const std::string& name) {
    auto& own = slots[name];
    if (!own) own = make_session_slots();
    return own;
  };
  for (const auto& options : servers) {
    auto server = std::make_unique<ServerRun>(options, make_connector(options->connection), clock,
                                              *workers_, slots_of(options->name), evidence, saved);
    for (const ReplicaConnection& replica : options->replica_connections)
      server->add_replica(replica, make_connector(replica.connection), *workers_,
                          slots_of(options->name + '\0' + replica.database + '\0' + replica.name));
    servers_.push_back(std::move(server));
  }
}

Scheduler::~Scheduler() {
  stop();
}

void Scheduler::prepare() {
  for (const auto& server : servers_) server->prepare();
}

void Scheduler::start() {
  for (const auto& server : servers_) server->start();
}

void Scheduler::run_once(bool reading) {
  std::vector<std::thread> threads;
  for (const auto& server : servers_)
    threads.emplace_back([&server, reading] { server->run_once(reading); });
  for (std::thread& thread : threads) thread.join();
}

void Scheduler::cancel() {
  for (const auto& server : servers_) server->begin_stop();
  workers_->stop_waiting();
  const Instant patience = clock_.now() + kCancelPatience;
  for (const auto& server : servers_) server->wait_until_finished(patience);
  for (const auto& server : servers_) server->cut_off();
}

void Scheduler::stop() {
  cancel();
  for (const auto& server : servers_) server->join();
}

bool Scheduler::ready() const {
  return std::all_of(servers_.begin(), servers_.end(),
                     [](const auto& server) { return server->ready(); });
}

}  // namespace pg_integrity
