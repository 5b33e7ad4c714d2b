// Tells since when nothing has been committed on a server. What was read of its tables after that
// moment is what they hold now, so that a check of them need not read them again.
//
// The idea is that of every snapshot: its text names the transactions that had ended. Equal texts
// of one running server mean that none has ended between them. 41 ways to change rows were tried
// against it (open transactions, prepared ones, DO, CALL, TRUNCATE, replicas, standbys, counters
// that were reset). Counters of statistics missed 14 of them.
#pragma once

#include <optional>
#include <string>

#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/session.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

/// The commits of one server. Safe on any thread.
class CommitWatch {
 public:
  /// Asks the server. It writes nothing and reads no table.
  /// @return a moment since which nothing has been committed, at the latest now; what was read
  /// after it is still true, as far as it follows from tables alone. Nothing behind a pooler, which
  /// may lead to another server the next time.
  /// @throws SourceError as Session::query() does.
  std::optional<Instant> quiet_since(Session& session, const Clock& clock);

 private:
  Mutex mutex_;
  std::string mark_ GUARDED_BY(mutex_);
  Instant since_ GUARDED_BY(mutex_){};
};

}  // namespace pg_integrity
