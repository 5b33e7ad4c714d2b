// The used session slots of a server. A session uses a slot while it is idle, leased, being opened,
// or given up and not yet closed by the server. The slots outlive a pool that is replaced by a new
// one, so sessions that the old pool gave up still count. Safe on any thread.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
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

  /// A failure to connect, which is not tried again before `retry_at`.
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
  /// When the first session began, by the server's clock. Older sessions are those of a process
  /// before this one, or of another exporter.
  std::string first_began GUARDED_BY(mutex);
  /// No older session of our role and name is on the server. Nothing before the first login.
  std::optional<bool> alone GUARDED_BY(mutex);
  bool older_told GUARDED_BY(mutex) = false;  ///< the log says that there are older ones
  /// By database. The failure of one says nothing about the others, whatever the reason. Limits,
  /// pg_hba.conf, encryption, and the servers behind a pooler may all differ from database to
  /// database.
  std::map<std::string, Failure> failures GUARDED_BY(mutex);

  [[nodiscard]] std::size_t used() const REQUIRES(mutex);
  /// How many slots may be used of that number. It is one beside older sessions, and until the
  /// first login has told whether there are any. A login that fails tells nothing, and holds up
  /// nobody.
  [[nodiscard]] std::size_t allowed(std::size_t sessions) const REQUIRES(mutex);
  /// Frees the slots of sessions that the server has closed.
  void sweep_abandoned() REQUIRES(mutex);
  /// Takes an idle session with that database. Closes broken ones that it meets.
  /// @return nullptr if there is none.
  std::unique_ptr<LiveSession> take_idle(const std::string& database) REQUIRES(mutex);
  /// Forgets the failure of a database that can be reached. If there was one, the others are tried
  /// again at once.
  void note_success(const std::string& database, Instant now) REQUIRES(mutex);
};

}  // namespace pg_integrity
