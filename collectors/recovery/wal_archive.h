// How far the archive of the write-ahead log would lead, as the server sees it. Used by one thread
// at a time.
#pragma once

#include <optional>

#include "collectors/base/instant.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/wal_positions.h"

namespace pg_integrity {

class WalArchive {
 public:
  /// Notes where the log is now, and asks what was archived.
  /// @return the newest moment known at which all that had been committed is in the archive by now:
  /// one of earlier looks, since nobody writes down when a segment's content was written. Nothing:
  /// not known yet.
  /// @throws SourceError, config if the server does not archive.
  std::optional<Instant> look(Session& session, Instant now);

 private:
  WalPositions positions_;
};

}  // namespace pg_integrity
