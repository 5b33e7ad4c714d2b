#include "exporter/postgres/session_pool.h"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/watchdog.h"
#include "exporter/postgres/pqxx_session.h"
#include "exporter/postgres/session_socket.h"
#include "tests/support/clock.h"
#include "tests/support/cluster.h"
#include "tests/support/failure.h"
#include "tests/support/pgbouncer.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::session_pool_test {
namespace {

class Pool : public ::testing::Test {
 protected:
  /// Sessions of the test before this one may still be ending, and would count as older ones.
  void SetUp() override {
    ASSERT_TRUE(eventually([&] {
      return db_.ask(
                 "SELECT count(*) FROM pg_stat_activity WHERE application_name ="
                 " 'pg_integrity_exporter'") == "0";
    }));
  }

  std::unique_ptr<SessionPool> pool_for(
      const std::string& dsn, std::size_t sessions = 2,
      const std::shared_ptr<SessionSlots>& slots = make_session_slots()) {
    SessionPool::Limits limits;
    limits.sessions = sessions;
    return std::make_unique<SessionPool>(
        "test", make_postgres_connector({dsn, ""}, clock_, watchdog_, workers_), limits, clock_,
        workers_, slots);
  }
  Instant soon(double seconds = 10) { return clock_.now() + Seconds(seconds); }

  static double ask(const SessionPool::Lease& lease, const std::string& sql) {
    return lease.session().query(sql).only().number("x");
  }
  /// Our sessions as the server sees them.
  int sessions_at_server() {
    return std::stoi(db_.ask(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_integrity_exporter'"
        " AND datname IN ('" +
        db_.name() + "', '" + other_.name() + "')"));
  }

  SteppedClock clock_;
  Watchdog watchdog_{clock_};
  DisposableWorkers workers_{clock_};
  Database db_;
  Database other_;
};

TEST_F(Pool, AnIdleSessionIsUsedAgain) {
  const auto pool = pool_for(db_.dsn());
  const auto backend = [&] {
    const auto lease = pool->lease(db_.name(), soon());
    lease.session().set_deadline(soon());
    return ask(lease, "SELECT pg_backend_pid() AS x");
  };
  const double first = backend();
  EXPECT_EQ(backend(), first);
  EXPECT_EQ(pool->count().open, 1U);
}

TEST_F(Pool, NeverMoreThanItsNumberWhateverTheDatabases) {
  const auto pool = pool_for(db_.dsn());
  const auto a = pool->lease(db_.name(), soon());
  {
    const auto b = pool->lease(other_.name(), soon());
    EXPECT_EQ(sessions_at_server(), 2);
    const SourceError error = failure([&] { pool->lease(db_.name(), soon(0.3)); });
    EXPECT_EQ(error.reason(), Reason::limit);
    EXPECT_TRUE(error.session_lost());
  }
  // The idle session of another database makes room.
  const auto c = pool->lease(db_.name(), soon());
  EXPECT_EQ(pool->count().open, 2U);
  EXPECT_TRUE(eventually([&] { return sessions_at_server() == 2; }));
}

TEST_F(Pool, WhoWaitsGetsWhatIsGivenBack) {
  const auto pool = pool_for(db_.dsn(), 1);
  auto first = std::make_unique<SessionPool::Lease>(pool->lease(db_.name(), soon()));
  std::thread giver([&] {
    clock_.await_waiting(1);
    first.reset();
  });
  EXPECT_NO_THROW(pool->lease(other_.name(), soon()));
  giver.join();
}

TEST_F(Pool, WhoWaitsIsToldAtOnceThatAllIsToEnd) {
  const auto pool = pool_for(db_.dsn(), 1);
  const auto only = pool->lease(db_.name(), soon());
  std::thread stopper([&] {
    clock_.await_waiting(1);
    pool->stop();
  });
  EXPECT_EQ(failure([&] { pool->lease(other_.name(), soon(1e9)); }).reason(), Reason::connect);
  stopper.join();
}

TEST_F(Pool, WhoWaitsGivesUpAtItsDeadline) {
  const auto pool = pool_for(db_.dsn(), 1);
  const auto only = pool->lease(db_.name(), soon());
  // Fixed before the clock is put forward, which may happen early: the watchdog may wait by it,
  // too.
  const Instant deadline = soon(3600);
  std::thread pusher([&] {
    clock_.await_waiting(1);
    clock_.advance(Seconds(3601));
  });
  EXPECT_EQ(failure([&] { pool->lease(other_.name(), deadline); }).reason(), Reason::limit);
  pusher.join();
}

TEST_F(Pool, ASessionThatWasCutOffHoldsItsSlotUntilTheServerLetsGo) {
  const auto pool = pool_for(db_.dsn());
  pid_t backend = 0;
  {
    const auto lease = pool->lease(db_.name(), soon());
    lease.session().set_deadline(soon());
    backend = static_cast<pid_t>(ask(lease, "SELECT pg_backend_pid() AS x"));
    ::kill(backend, SIGSTOP);
    lease.session().set_deadline(soon(0.2));
    EXPECT_EQ(failure([&] { lease.session().query("SELECT 1"); }).reason(), Reason::timeout);
  }
  EXPECT_EQ(pool->count().abandoned, 1U);
  const auto only = pool->lease(db_.name(), soon());
  EXPECT_EQ(failure([&] { pool->lease(db_.name(), soon(0.3)); }).reason(), Reason::limit)
      << "two lanes share the slot that is left";
  EXPECT_EQ(sessions_at_server(), 2);
  ::kill(backend, SIGCONT);
  EXPECT_TRUE(eventually([&] { return pool->count().abandoned == 0; }));
  EXPECT_NO_THROW(pool->lease(db_.name(), soon()));
}

TEST_F(Pool, NoSecondSessionIsOpenedWhileOlderOnesOfTheRoleAndNameAreThere) {
  auto older = std::make_optional<Client>(db_.dsn() + " application_name=pg_integrity_exporter");
  const auto pool = pool_for(db_.dsn());
  {
    const auto first = pool->lease(db_.name(), soon());
    EXPECT_EQ(failure([&] { pool->lease(db_.name(), soon(0.3)); }).reason(), Reason::limit);
  }
  {
    const auto again = pool->lease(db_.name(), soon());
    EXPECT_EQ(failure([&] { pool->lease(db_.name(), soon(0.3)); }).reason(), Reason::limit);
  }
  older.reset();
  EXPECT_TRUE(eventually([&] { return sessions_at_server() == 1; }));
  const auto first = pool->lease(db_.name(), soon());
  EXPECT_NO_THROW(pool->lease(db_.name(), soon()));
}

TEST_F(Pool, ThePoolThatFollowsCountsWhatTheOldOneGaveUp) {
  const auto slots = make_session_slots();
  auto old = pool_for(db_.dsn(), 1, slots);
  pid_t backend = 0;
  {
    const auto lease = old->lease(db_.name(), soon());
    lease.session().set_deadline(soon());
    backend = static_cast<pid_t>(ask(lease, "SELECT pg_backend_pid() AS x"));
    ::kill(backend, SIGSTOP);
    lease.session().set_deadline(soon(0.2));
    EXPECT_EQ(failure([&] { lease.session().query("SELECT 1"); }).reason(), Reason::timeout);
  }
  old->stop();
  const auto next = pool_for(db_.dsn(), 1, slots);
  old.reset();
  EXPECT_EQ(failure([&] { next->lease(db_.name(), soon(0.3)); }).reason(), Reason::limit);
  EXPECT_EQ(sessions_at_server(), 1);
  ::kill(backend, SIGCONT);
  EXPECT_NO_THROW(next->lease(db_.name(), soon()));
}

TEST_F(Pool, ASessionThatIsOldOrUnwantedIsNotUsedAgain) {
  const auto pool = pool_for(db_.dsn(), 1);
  const auto backend = [&](bool discard) {
    auto lease = pool->lease(db_.name(), soon());
    lease.session().set_deadline(soon());
    if (discard) lease.discard();
    return ask(lease, "SELECT pg_backend_pid() AS x");
  };
  const double first = backend(false);
  EXPECT_EQ(backend(true), first);
  const double second = backend(false);
  EXPECT_NE(second, first);
  clock_.advance(Seconds(301));
  EXPECT_EQ(backend(false), second) << "its age is looked at when it is given back";
  EXPECT_NE(backend(false), second);
}

TEST_F(Pool, AFrozenServerDoesNotHoldUpWhoConnects) {
  Cluster own;
  const auto pool = pool_for(own.dsn("postgres") + " connect_timeout=3");
  ::kill(own.postmaster_pid(), SIGSTOP);
  const SourceError first = failure([&] { pool->lease("postgres", soon(1)); });
  EXPECT_EQ(first.reason(), Reason::timeout);
  EXPECT_EQ(pool->count().connecting, 1U) << "the worker that was given up is still out";
  clock_.advance(Seconds(60));
  EXPECT_EQ(failure([&] { pool->lease("postgres", soon(1)); }).reason(), Reason::timeout)
      << "no second one is sent";
  EXPECT_EQ(pool->count().connecting, 1U);
  ::kill(own.postmaster_pid(), SIGCONT);
  EXPECT_TRUE(eventually([&] { return pool->count().connecting == 0; }));
  clock_.advance(Seconds(60));
  EXPECT_NO_THROW(pool->lease("postgres", soon()));
}

TEST_F(Pool, ASessionThatHangsBeforeItKnowsWhoAnswersKeepsItsSlot) {
  const PgBouncer bouncer(db_.cluster(), 1);
  auto other = std::make_unique<Client>(bouncer.dsn(db_.name()));
  other->run("BEGIN");  // a new login now hangs at its first question
  const auto pool = pool_for(bouncer.dsn(db_.name()), 1);
  EXPECT_EQ(failure([&] { pool->lease(db_.name(), soon(1)); }).reason(), Reason::timeout);
  bouncer.signal(SIGSTOP);
  clock_.advance(Seconds(10));  // the session is cut off
  EXPECT_FALSE(eventually([&] { return pool->count().connecting == 0; }, std::chrono::seconds(2)))
      << "the other side has not let go of it";
  bouncer.signal(SIGCONT);
  other.reset();
  EXPECT_TRUE(eventually([&] { return pool->count().connecting == 0; }));
  clock_.advance(Seconds(60));
  EXPECT_NO_THROW(pool->lease(db_.name(), soon()));
}

TEST_F(Pool, AFailureToConnectIsRepeatedWithoutTryingUntilARetryIsDue) {
  Cluster own;
  const auto pool = pool_for(own.dsn("postgres"));
  own.stop();
  EXPECT_EQ(failure([&] { pool->lease("postgres", soon()); }).reason(), Reason::connect);
  own.start();
  EXPECT_EQ(failure([&] { pool->lease("postgres", soon()); }).reason(), Reason::connect)
      << "the same failure";
  EXPECT_LE((pool->retry_at("postgres") - clock_.now()).count(), 1);
  clock_.advance(Seconds(1));
  EXPECT_NO_THROW(pool->lease("postgres", soon()));
}

TEST_F(Pool, PausesGrowWithJitterToTheirLimit) {
  const auto pool = pool_for("host=127.0.0.1 port=1 user=x");
  double last = 0;
  for (int i = 0; i < 8; ++i) {
    failure([&] { pool->lease("x", soon()); });
    last = (pool->retry_at("x") - clock_.now()).count();
    EXPECT_LE(last, 30);
    clock_.advance(Seconds(last + 0.1));
  }
  EXPECT_GE(last, 14);
}

TEST_F(Pool, AMissingDatabaseDoesNotHoldBackTheOthers) {
  const auto pool = pool_for(db_.dsn());
  EXPECT_EQ(failure([&] { pool->lease("no_such", soon()); }).reason(), Reason::missing);
  EXPECT_NO_THROW(pool->lease(db_.name(), soon()));
}

TEST_F(Pool, NoRefusalOfOneDatabaseHoldsBackTheOthers) {
  Cluster own;
  const Database fine(own, "fine");
  const Database postgres(own, "admin");
  postgres.run("CREATE ROLE plain LOGIN");
  postgres.run("CREATE DATABASE revoked");
  postgres.run("REVOKE CONNECT ON DATABASE revoked FROM PUBLIC");
  postgres.run("CREATE DATABASE crowded CONNECTION LIMIT 0");
  postgres.run("CREATE DATABASE closed ALLOW_CONNECTIONS false");
  postgres.run("CREATE DATABASE banned");
  postgres.run("CREATE DATABASE broken");
  postgres.run("UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'broken'");
  const std::string path = own.data_directory() + "/pg_hba.conf";
  std::ifstream before(path);
  const std::string rest{std::istreambuf_iterator<char>(before), {}};
  std::ofstream(path) << "host banned all all scram-sha-256\n" << rest;
  own.stop();
  own.start();
  const auto pool = pool_for(own.dsn("fine", "plain"));
  for (const auto& [database, reason] :
       std::map<std::string, Reason>{{"revoked", Reason::permission},
                                     {"crowded", Reason::connect},
                                     {"closed", Reason::server},
                                     {"broken", Reason::server},
                                     {"banned", Reason::auth},
                                     {"no_such", Reason::missing}}) {
    const SourceError error = failure([&] { pool->lease(database, soon()); });
    EXPECT_EQ(error.reason(), reason) << database << ": " << error.what();
    const auto lease = pool->lease("fine", soon());
    lease.session().set_deadline(soon());
    EXPECT_EQ(ask(lease, "SELECT 1 AS x"), 1) << "after " << database;
  }
  const Instant retry = pool->retry_at("fine");
  EXPECT_LE(retry, clock_.now());
  EXPECT_GT(pool->retry_at("crowded"), clock_.now()) << "the others' sessions do not make it due";
}

TEST_F(Pool, ADatabaseThatHangsHoldsOneSlotOnly) {
  const PgBouncer bouncer(db_.cluster(), 1);
  Client holder(bouncer.dsn(db_.name()));
  holder.run("BEGIN");  // a new login to this database now hangs at its first question
  const auto pool = pool_for(bouncer.dsn(db_.name()));
  EXPECT_EQ(failure([&] { pool->lease(db_.name(), soon(1)); }).reason(), Reason::timeout);
  clock_.advance(Seconds(2));
  EXPECT_EQ(failure([&] { pool->lease(db_.name(), soon(1)); }).reason(), Reason::timeout);
  EXPECT_EQ(pool->count().connecting, 1U) << "no second one is sent after it";
  const auto lease = pool->lease(other_.name(), soon());
  lease.session().set_deadline(soon());
  EXPECT_EQ(ask(lease, "SELECT 1 AS x"), 1);
  holder.run("COMMIT");
}

TEST_F(Pool, OnceADatabaseIsBackTheOthersAreTriedAtOnce) {
  Cluster own;
  const Database one(own, "one");
  const Database two(own, "two");
  const auto pool = pool_for(own.dsn("one"));
  own.stop();
  for (int i = 0; i < 6; ++i) {
    for (const char* database : {"one", "two"}) failure([&] { pool->lease(database, soon()); });
    clock_.advance(Seconds(30));
  }
  failure([&] { pool->lease("two", soon()); });
  own.start();
  EXPECT_GT(pool->retry_at("two"), clock_.now());
  { const auto lease = pool->lease("one", soon()); }
  const Instant retry = pool->retry_at("two");
  EXPECT_LE(retry, clock_.now());
  EXPECT_NO_THROW(pool->lease("two", soon()));
}

TEST_F(Pool, ManyFailingDatabasesAreTriedLessOften) {
  const auto pool = pool_for("host=127.0.0.1 port=1 user=x");
  for (int round = 0; round < 12; ++round) {
    for (int i = 0; i < 16; ++i) failure([&] { pool->lease("d" + std::to_string(i), soon()); });
    clock_.advance(Seconds(130));
  }
  failure([&] { pool->lease("d0", soon()); });
  const double pause = (pool->retry_at("d0") - clock_.now()).count();
  EXPECT_GE(pause, 55);
  EXPECT_LE(pause, 121) << "16 databases: four times the pause of one";
}

TEST_F(Pool, AWrongPasswordIsNotTriedOften) {
  const auto pool =
      pool_for("host=127.0.0.1 port=" + std::to_string(db_.cluster().port()) + " user=nobody_such");
  EXPECT_EQ(failure([&] { pool->lease("postgres", soon()); }).reason(), Reason::auth);
  EXPECT_GE((pool->retry_at("postgres") - clock_.now()).count(), 14);
}

TEST_F(Pool, ARestartedServerIsNoticedBeforeAQuestionIsLost) {
  Cluster own;
  const auto pool = pool_for(own.dsn("postgres"));
  { const auto lease = pool->lease("postgres", soon()); }
  own.stop();
  own.start();
  const auto lease = pool->lease("postgres", soon());
  lease.session().set_deadline(soon());
  EXPECT_EQ(ask(lease, "SELECT 1 AS x"), 1);
}

TEST_F(Pool, IdleSessionsAreClosed) {
  const auto pool = pool_for(db_.dsn());
  { const auto lease = pool->lease(db_.name(), soon()); }
  pool->close_idle(Seconds(60));
  EXPECT_EQ(pool->count().open, 1U);
  ASSERT_TRUE(pool->idle_until(Seconds(60)));
  EXPECT_NEAR((pool->idle_until(Seconds(60)).value() - clock_.now()).count(), 60, 5);
  clock_.advance(Seconds(61));
  pool->close_idle(Seconds(60));
  EXPECT_EQ(pool->count().open, 0U);
  EXPECT_FALSE(pool->idle_until(Seconds(60))) << "there is none";
  EXPECT_TRUE(eventually([&] { return sessions_at_server() == 0; }));
}

TEST_F(Pool, AfterStopNobodyGetsASessionAndWhatRunsIsCancelled) {
  const auto pool = pool_for(db_.dsn());
  const auto lease = pool->lease(db_.name(), soon());
  lease.session().set_deadline(soon(30));
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    pool->stop();
  });
  EXPECT_EQ(failure([&] { lease.session().query("SELECT pg_sleep(29)"); }).reason(),
            Reason::timeout);
  stopper.join();
  EXPECT_EQ(failure([&] { pool->lease(db_.name(), soon()); }).reason(), Reason::connect);
}

}  // namespace
}  // namespace pg_integrity::test::session_pool_test
