// The sessions of one server. Their number is bounded, whatever the number of its databases.
// Sessions that are still connecting or that were given up count, too. A thread that needs a
// session leases one for a step. Safe on any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "exporter/io/condition.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/postgres/live_session.h"
#include "exporter/postgres/session_slots.h"
#include "exporter/postgres/session_socket.h"

namespace pg_integrity {

std::shared_ptr<SessionSlots> make_session_slots();

class SessionPool {
 public:
  struct Limits {
    std::size_t sessions = 2;
    Seconds connect_timeout{5};
    Seconds first_retry{1};  ///< doubled at each failure, with jitter, up to last_retry
    Seconds last_retry{30};  ///< longer if many databases fail at the same time
    Seconds lifetime{300};   ///< of a session; a new one reads secrets and identity again
  };

  struct Count {
    std::size_t open = 0;        ///< leased or idle
    std::size_t connecting = 0;  ///< being opened, by given-up workers, too
    std::size_t abandoned = 0;   ///< cut off but not yet closed by the server
  };

  /// A session on loan. Its destruction gives the session back.
  class Lease {
   public:
    Lease(SessionPool& pool, std::unique_ptr<LiveSession> session)
        : pool_(&pool), session_(std::move(session)) {}
    ~Lease();
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    [[nodiscard]] LiveSession& session() const { return *session_; }
    /// Has the session closed instead of kept for another lease.
    void discard() { discarded_ = true; }

   private:
    SessionPool* pool_;
    std::unique_ptr<LiveSession> session_;
    bool discarded_ = false;
  };

  /// @param server names the server in error texts.
  /// @param slots of that server. A pool that used them before must have been stopped.
  SessionPool(std::string server, std::shared_ptr<Connector> connector, Limits limits,
              const WaitableClock& clock, DisposableWorkers& workers,
              std::shared_ptr<SessionSlots> slots = make_session_slots());
  ~SessionPool();
  SessionPool(const SessionPool&) = delete;
  SessionPool& operator=(const SessionPool&) = delete;

  /// Leases an idle session with that database, or opens one. If no slot is free it closes an idle
  /// session with another database, or waits until the deadline for a slot. After a failure to
  /// connect with this database it throws the same error at once until a retry is due.
  /// @throws SourceError with session_lost().
  Lease lease(const std::string& database, Instant deadline);

  /// The moment of lease()'s next attempt to connect, now or earlier if nothing holds it back.
  [[nodiscard]] Instant retry_at(const std::string& database) const;
  [[nodiscard]] Count count() const;

  /// Closes sessions that have been idle for that long.
  void close_idle(Seconds unused_for);
  /// The moment when the next one will have been idle for that long, nothing if no session is idle.
  [[nodiscard]] std::optional<Instant> idle_until(Seconds unused_for) const;
  /// From now on lease() throws. Closes idle sessions and cancels running statements.
  void stop();
  /// Shuts down the connections of all leased sessions.
  void cut_off();

 private:
  /// @return an idle session with that database, or nullptr after it took a slot to connect.
  std::unique_ptr<LiveSession> idle_or_slot(const std::string& database, Instant deadline);
  std::unique_ptr<LiveSession> connect(const std::string& database, Instant deadline);
  void note_failure(const std::string& database, const SourceError& error);
  void give_back(std::unique_ptr<LiveSession> session, bool keep);

  const std::string server_;
  const std::shared_ptr<Connector> connector_;
  const Limits limits_;
  const WaitableClock& clock_;
  DisposableWorkers& workers_;
  const std::shared_ptr<SessionSlots> slots_;
  bool stopping_ GUARDED_BY(slots_->mutex) = false;
};

}  // namespace pg_integrity
