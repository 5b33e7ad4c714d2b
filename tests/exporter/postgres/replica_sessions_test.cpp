#include "exporter/postgres/replica_sessions.h"

#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "exporter/config/options.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/watchdog.h"
#include "exporter/postgres/pqxx_session.h"
#include "exporter/postgres/session_pool.h"
#include "tests/support/clock.h"
#include "tests/support/cluster.h"
#include "tests/support/failure.h"

namespace pg_integrity::test::replica_sessions_test {
namespace {

class ReplicasOf : public testing::Test {
 protected:
  ReplicasOf() {
    const ConnectionOptions connection{copy_.dsn(), ""};
    replicas_.add({"standby", "app", connection},
                  make_postgres_connector(connection, clock_, watchdog_, workers_), clock_,
                  workers_, make_session_slots());
  }
  [[nodiscard]] std::unique_ptr<ReplicaSession> open(Seconds patience = Seconds(30),
                                                     const std::string& database = "app",
                                                     const std::string& name = "standby") const {
    return replicas_.open(database, name, clock_.now() + patience);
  }
  /// The reason why the session cannot be opened.
  [[nodiscard]] Reason refusal(const std::string& database, const std::string& name) const {
    return failure([&] { static_cast<void>(open(Seconds(0.3), database, name)); }).reason();
  }

  const Database copy_;
  SteppedClock clock_;
  Watchdog watchdog_{clock_};
  DisposableWorkers workers_{clock_};
  Replicas replicas_;
};

TEST_F(ReplicasOf, AreOpenedByNameInTheirOwnDatabase) {
  const auto session = open();
  EXPECT_EQ(session->query("SELECT current_database() AS name").only().text("name"), copy_.name());
  EXPECT_GT(session->busy().count(), 0);
  EXPECT_EQ(refusal("app", "nobody"), Reason::config);
  EXPECT_EQ(refusal("other", "standby"), Reason::config);
}

TEST_F(ReplicasOf, ThereIsOneSessionAtATime) {
  auto session = open();
  EXPECT_EQ(refusal("app", "standby"), Reason::limit);
  session.reset();
  EXPECT_NO_THROW(static_cast<void>(open()));
  EXPECT_EQ(copy_.ask("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                      " AND application_name = 'pg_integrity_exporter'"),
            "1");
}

TEST_F(ReplicasOf, ALostSessionIsNotThatOfTheDatabase) {
  const auto session = open();
  copy_.run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
      " current_database() AND pid <> pg_backend_pid()");
  try {
    session->query("SELECT 1");
    FAIL() << "the session is gone";
  } catch (const SourceError& error) {
    EXPECT_EQ(error.reason(), Reason::connect);
    EXPECT_FALSE(error.session_lost());
  }
  EXPECT_TRUE(session->lost());
}

TEST_F(ReplicasOf, NothingIsOpenedOnceTheyAreStopped) {
  replicas_.stop();
  EXPECT_EQ(refusal("app", "standby"), Reason::connect);
}

}  // namespace
}  // namespace pg_integrity::test::replica_sessions_test
