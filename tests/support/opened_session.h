// A session of the exporter's own kind with a test's database, and a session that watches the
// queries to another.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/ports/session.h"
#include "exporter/io/clock.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/watchdog.h"
#include "exporter/postgres/live_session.h"
#include "exporter/postgres/pqxx_session.h"
#include "tests/support/clock.h"
#include "tests/support/cluster.h"

namespace pg_integrity::test {

/// Passes every query on to a real session. It counts the queries and tells the test before each
/// one.
class WatchedSession final : public Session {
 public:
  explicit WatchedSession(Session& session) : session_(session) {}

  Rows query(std::string_view sql, std::span<const std::string> parameters,
             Access access) override {
    statements.emplace_back(sql);
    if (before_each) before_each();
    return session_.query(sql, parameters, access);
  }
  using Session::query;
  Rows probe(std::string_view sql, std::size_t max_rows) override {
    return session_.probe(sql, max_rows);
  }
  [[nodiscard]] const ServerInfo& server() const override { return session_.server(); }

  std::vector<std::string> statements;
  std::function<void()> before_each;

 private:
  Session& session_;
};

/// A session that stays open while the object lives. No test reaches its deadline.
class OpenedSession {
 public:
  explicit OpenedSession(const Database& database, const std::string& user = "postgres")
      : session_(make_postgres_connector({database.dsn(user), ""}, clock_, watchdog_, workers_)
                     ->open(database.name())),
        watched_(*session_) {
    session_->set_deadline(clock_.now() + Seconds(120));
  }

  WatchedSession& operator*() { return watched_; }
  WatchedSession* operator->() { return &watched_; }

 private:
  SystemClock clock_;
  Watchdog watchdog_{clock_};
  DisposableWorkers workers_{clock_};
  std::unique_ptr<LiveSession> session_;
  WatchedSession watched_;
};

}  // namespace pg_integrity::test
