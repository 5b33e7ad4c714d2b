// Sessions with PostgreSQL through libpqxx (6.4 and 7.x). Each query is one read-only
// transaction. Its settings are SET LOCAL, so that none of them stays on a server connection that a
// pooler shares.
#pragma once

#include <memory>

#include "collectors/ports/clock.h"
#include "exporter/config/options.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/watchdog.h"
#include "exporter/postgres/live_session.h"

namespace pg_integrity {

/// A connector for one server. The watchdog, workers and clock must outlive it and its sessions.
/// @param parallel_workers of one statement. Use more than 0 only for a server that we started
/// ourselves.
std::unique_ptr<Connector> make_postgres_connector(const ConnectionOptions& connection,
                                                   const Clock& clock, Watchdog& watchdog,
                                                   DisposableWorkers& workers,
                                                   int parallel_workers = 0);

/// A session that runs all its queries in one REPEATABLE READ transaction. Other programs may
/// share the transaction's snapshot and then see the same rows. It holds a second connection, which
/// judges its statements by the catalog of now.
struct PinnedSession {
  std::unique_ptr<LiveSession> session;
  std::string snapshot;  ///< for pg_dump --snapshot; valid while the session lives
};

/// Opens such a session. Blocks. The watchdog, workers and clock must outlive it.
/// @throws SourceError
PinnedSession open_pinned_session(const ConnectionOptions& connection, const std::string& database,
                                  const Clock& clock, Watchdog& watchdog,
                                  DisposableWorkers& workers);

}  // namespace pg_integrity
