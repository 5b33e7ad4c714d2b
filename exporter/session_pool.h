// The sessions of one server: never more than a fixed number, whatever the number of its databases,
// and with those counted that are still connecting or were given up. Whoever needs a session leases
// one for a step. Safe on any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "exporter/sessions.h"
#include "exporter/workers.h"

namespace pg_integrity {

class SessionPool {
 public:
  struct Limits {
    std::size_t sessions = 2;
    Seconds connect_timeout{5};
    Seconds first_retry{1};  ///< doubled at each failure, with jitter, up to last_retry
    Seconds last_retry{30};
  };

  struct Count {
    std::size_t open = 0;        ///< leased or idle
    std::size_t connecting = 0;  ///< somebody, or a worker that was given up, is connecting
    std::size_t abandoned = 0;   ///< cut off, and not yet closed by the server
  };

  /// A session on loan; given back when destroyed.
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

   private:
    SessionPool* pool_;
    std::unique_ptr<LiveSession> session_;
  };

  /// @param server names the server in error texts.
  SessionPool(std::string server, std::shared_ptr<Connector> connector, Limits limits,
              const Clock& clock, DisposableWorkers& workers);
  ~SessionPool();
  SessionPool(const SessionPool&) = delete;
  SessionPool& operator=(const SessionPool&) = delete;

  /// A session with that database: an idle one, else a new one, else one that somebody gives back
  /// in time. After a failure to connect the same failure is thrown at once until a retry is due.
  /// @throws SourceError with session_lost().
  Lease lease(const std::string& database, Instant deadline);

  /// When lease() will try to connect again; now or earlier if nothing holds it back.
  [[nodiscard]] Instant retry_at(const std::string& database) const;
  [[nodiscard]] Count count() const;

  /// Closes sessions that nobody has used for that long.
  void close_idle(Seconds unused_for);
  /// From now on lease() throws; what runs is cancelled.
  void stop();
  /// Shuts down what still runs.
  void cut_off();

 private:
  struct State;

  std::unique_ptr<LiveSession> connect(const std::string& database, Instant deadline);
  void note_failure(const std::string& database, const SourceError& error);
  void give_back(std::unique_ptr<LiveSession> session);

  const std::string server_;
  const std::shared_ptr<Connector> connector_;
  const Limits limits_;
  const Clock& clock_;
  DisposableWorkers& workers_;
  const std::shared_ptr<State> state_;
};

}  // namespace pg_integrity
