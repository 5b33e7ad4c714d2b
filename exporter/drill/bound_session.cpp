#include "exporter/drill/bound_session.h"

#include "exporter/drill/copy_comparison.h"
#include "exporter/postgres/pqxx_session.h"

namespace pg_integrity {

BoundSession::BoundSession(const ConnectionOptions& connection, Children& children,
                           ProcessResources& resources, int parallel_workers)
    : session_(make_postgres_connector(connection, resources.clock, resources.watchdog,
                                       resources.workers, parallel_workers)
                   ->open({})),
      guard_(children, [session = session_.get()] { session->cut_off(); }) {
  session_->set_deadline(resources.clock.now() + kComparison);
}

}  // namespace pg_integrity
