// What is taken of a server's sessions: those that are idle, on loan, being opened, or given up and
// not yet closed by the server. Kept while a pool is replaced by the next one: sessions that the
// old one gave up still count. Safe on any thread.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "exporter/io/condition.h"
#include "exporter/io/mutex.h"
#include "exporter/postgres/live_session.h"

namespace pg_integrity {

class SessionSlots {
 public:
  struct Idle {
    std::unique_ptr<LiveSession> session;
    Instant since;
  };

  /// To connect has failed, and is not tried again before a moment.
  struct Failure {
    SourceError error;
    Seconds pause;
    Instant retry_at;
  };

  Mutex mutex;
  Condition changed;  ///< a slot may have become free
  std::vector<Idle> idle GUARDED_BY(mutex);
  std::vector<LiveSession*> leased GUARDED_BY(mutex);
  std::vector<std::unique_ptr<AbandonedSession>> abandoned GUARDED_BY(mutex);
  std::size_t connecting GUARDED_BY(mutex) = 0;
  /// By database; "" is the whole server.
  std::map<std::string, Failure> failures GUARDED_BY(mutex);

  [[nodiscard]] std::size_t used() const REQUIRES(mutex);
  /// Frees the slots of sessions that the server has closed.
  void sweep_abandoned() REQUIRES(mutex);
  /// One with that database, or nullptr. Those that broke are closed.
  std::unique_ptr<LiveSession> take_idle(const std::string& database) REQUIRES(mutex);
  [[nodiscard]] const Failure* failure_of(const std::string& database) const REQUIRES(mutex);
};

}  // namespace pg_integrity
