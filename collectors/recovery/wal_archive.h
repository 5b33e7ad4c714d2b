// The moment up to which the WAL archive would lead, as the server sees it. Used by one thread at a
// time.
#pragma once

#include <optional>

#include "collectors/base/instant.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/wal_positions.h"

namespace pg_integrity {

class WalArchive {
 public:
  /// Notes the current position of the WAL, and asks which segment was archived last.
  /// @return the newest moment whose commits are all in the archive by now. It is the time of an
  /// earlier call, because PostgreSQL does not record when a segment's content was written. nullopt
  /// if no such moment is known yet.
  /// @throws SourceError{config} if the server does not archive or is a standby. Other reasons if
  /// it cannot be asked.
  std::optional<Instant> look(Session& session, Instant now);

 private:
  WalPositions positions_;
};

}  // namespace pg_integrity
