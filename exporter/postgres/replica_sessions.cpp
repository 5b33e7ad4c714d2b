#include "exporter/postgres/replica_sessions.h"

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/postgres/live_session.h"

namespace pg_integrity {

namespace {

/// The relations of a copy are others than those of the database, so the obstacle is left out.
SourceError of_this_object(const SourceError& error) {
  return {error.reason(), error.what(), SourceError::Scope::object, error.damage()};
}

}  // namespace

ReplicaSession::ReplicaSession(SessionPool::Lease lease, Instant deadline)
    : lease_(std::move(lease)), busy_before_(lease_.session().busy()) {
  lease_.session().set_deadline(deadline);
}

template <typename Ask>
Rows ReplicaSession::asked(Ask ask) {
  try {
    return ask();
  } catch (const SourceError& error) {
    lost_ = lost_ || error.session_lost();
    throw of_this_object(error);
  }
}

Rows ReplicaSession::query(std::string_view sql, std::span<const std::string> parameters,
                           Access access) {
  return asked([&] { return lease_.session().query(sql, parameters, access); });
}

Rows ReplicaSession::probe(std::string_view sql, std::size_t max_rows) {
  return asked([&] { return lease_.session().probe(sql, max_rows); });
}

void Replicas::add(const ReplicaConnection& replica, std::shared_ptr<Connector> connector,
                   const WaitableClock& clock, DisposableWorkers& workers,
                   std::shared_ptr<SessionSlots> slots) {
  SessionPool::Limits limits;
  limits.sessions = 1;
  pools_.emplace(std::pair(replica.database, replica.name),
                 std::make_unique<SessionPool>("replica " + replica.name, std::move(connector),
                                               limits, clock, workers, std::move(slots)));
}

std::unique_ptr<ReplicaSession> Replicas::open(const std::string& database, const std::string& name,
                                               Instant deadline) const {
  const auto pool = pools_.find({database, name});
  if (pool == pools_.end())
    throw SourceError(Reason::config, "no replica of that name is configured");
  try {
    // An empty name stands for the database of the copy's own connection string.
    return std::make_unique<ReplicaSession>(pool->second->lease({}, deadline), deadline);
  } catch (const SourceError& error) {
    throw of_this_object(error);
  }
}

void Replicas::close_idle(Seconds unused_for) {
  for (const auto& [name, pool] : pools_) pool->close_idle(unused_for);
}

std::optional<Instant> Replicas::idle_until(Seconds unused_for) const {
  std::optional<Instant> first;
  for (const auto& [name, pool] : pools_) first = earlier(first, pool->idle_until(unused_for));
  return first;
}

void Replicas::stop() {
  for (const auto& [name, pool] : pools_) pool->stop();
}

void Replicas::cut_off() {
  for (const auto& [name, pool] : pools_) pool->cut_off();
}

}  // namespace pg_integrity
