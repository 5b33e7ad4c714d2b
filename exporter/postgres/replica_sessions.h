// Sessions with the copies of a server's databases. Each copy has a pool of one session, which
// opens, bounds, counts and cuts it off as any other session.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "collectors/base/instant.h"
#include "collectors/ports/session.h"
#include "exporter/config/options.h"
#include "exporter/io/condition.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/postgres/live_session.h"
#include "exporter/postgres/session_pool.h"

namespace pg_integrity {

/// A copy's session for one step. lost() tells whether the session is lost. Its errors never have
/// session_lost(), which concerns the collector's own database. One thread at a time.
class ReplicaSession final : public Session {
 public:
  ReplicaSession(SessionPool::Lease lease, Instant deadline);

  using Session::query;
  Rows query(std::string_view sql, std::span<const std::string> parameters, Access access) override;
  Rows probe(std::string_view sql, std::size_t max_rows) override;
  [[nodiscard]] const ServerInfo& server() const override { return lease_.session().server(); }

  [[nodiscard]] bool lost() const { return lost_; }
  /// Time spent on statements in this step.
  [[nodiscard]] Seconds busy() const { return lease_.session().busy() - busy_before_; }

 private:
  template <typename Ask>
  Rows asked(Ask ask);

  SessionPool::Lease lease_;
  Seconds busy_before_;
  bool lost_ = false;
};

/// The pools of one server's copies. Call add() before anything else. After that safe on any
/// thread.
class Replicas {
 public:
  void add(const ReplicaConnection& replica, std::shared_ptr<Connector> connector,
           const WaitableClock& clock, DisposableWorkers& workers,
           std::shared_ptr<SessionSlots> slots);
  /// @param database the watched database of which it is a copy.
  /// @throws SourceError without session_lost().
  [[nodiscard]] std::unique_ptr<ReplicaSession> open(const std::string& database,
                                                     const std::string& name,
                                                     Instant deadline) const;

  /// These do the same as those of SessionPool, for all copies.
  void close_idle(Seconds unused_for);
  [[nodiscard]] std::optional<Instant> idle_until(Seconds unused_for) const;
  void stop();
  void cut_off();

 private:
  std::map<std::pair<std::string, std::string>, std::unique_ptr<SessionPool>> pools_;
};

}  // namespace pg_integrity
