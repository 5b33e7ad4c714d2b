#include "exporter/postgres/pqxx_session.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <optional>
#include <thread>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/ports/session.h"
#include "exporter/io/clock.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/watchdog.h"
#include "exporter/postgres/live_session.h"
#include "exporter/postgres/server_timeouts.h"
#include "exporter/postgres/session_socket.h"
#include "tests/support/clock.h"
#include "tests/support/cluster.h"
#include "tests/support/failure.h"
#include "tests/support/pgbouncer.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::pqxx_session_test {
namespace {

class Postgres : public ::testing::Test {
 protected:
  std::unique_ptr<LiveSession> open(const std::string& dsn, const std::string& database) {
    auto session = make_postgres_connector({dsn, ""}, clock_, watchdog_, workers_)->open(database);
    session->set_deadline(clock_.now() + Seconds(20));
    return session;
  }
  std::unique_ptr<LiveSession> open() { return open(db_.dsn(), db_.name()); }

  /// The reason why a question failed, and whether the session is lost with it.
  static std::pair<Reason, bool> outcome(const std::function<void()>& ask) {
    const SourceError error = failure(ask);
    return {error.reason(), error.session_lost()};
  }
  static Reason reason(const std::function<void()>& ask) { return failure(ask).reason(); }

  SystemClock clock_;
  Watchdog watchdog_{clock_};
  DisposableWorkers workers_{clock_};
  Database db_;
};

TEST_F(Postgres, AnswersWithRowsNullsAndTimes) {
  const auto session = open();
  const Rows rows =
      session->query("SELECT 1 AS a, NULL AS b, 'x' || chr(10) AS c UNION ALL SELECT 2, 'y', ''");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].number("a"), 1);
  EXPECT_FALSE(rows[0].maybe_text("b"));
  EXPECT_EQ(rows[0].text("c"), "x\n");
  EXPECT_EQ(rows[1].text("b"), "y");
  EXPECT_GT(rows.elapsed().count(), 0);
}

TEST_F(Postgres, PassesParameters) {
  const auto session = open();
  const std::vector<std::string> parameters{"it's", "7"};
  EXPECT_EQ(session->query("SELECT $1 || ($2::int + 1)::text AS x", parameters).only().text("x"),
            "it's8");
}

TEST_F(Postgres, EveryQuestionIsAReadOnlyTransactionWithItsOwnSettings) {
  const auto session = open();
  const Row row =
      session
          ->query(
              "SELECT current_setting('transaction_read_only') AS ro, "
              "current_setting('search_path')"
              " AS path, current_setting('row_security') AS rls, current_setting('lock_timeout') AS"
              " lock, current_setting('jit') AS jit, current_setting('TimeZone') AS zone,"
              " current_setting('max_parallel_workers_per_gather') AS workers")
          .only();
  EXPECT_EQ(row.text("ro"), "on");
  EXPECT_EQ(row.text("path"), "pg_catalog, pg_temp");
  EXPECT_EQ(row.text("rls"), "off");
  EXPECT_EQ(row.text("lock"), "300ms");
  EXPECT_EQ(row.text("jit"), "off");
  EXPECT_EQ(row.text("zone"), "UTC");
  EXPECT_EQ(row.text("workers"), "0");
  EXPECT_EQ(reason([&] { session->query("CREATE TABLE t (i int)"); }), Reason::config);
  EXPECT_EQ(reason([&] { session->query("SELECT 1; SELECT 2"); }), Reason::config);
}

TEST_F(Postgres, AFailedQuestionLeavesTheSessionUsable) {
  const auto session = open();
  EXPECT_EQ(reason([&] { session->query("SELECT nothing"); }), Reason::missing);
  EXPECT_EQ(reason([&] { session->query("SELECT 1/0"); }), Reason::decode);
  EXPECT_EQ(reason([&] { session->query("SELEC 1"); }), Reason::config);
  EXPECT_TRUE(session->usable());
  EXPECT_EQ(session->query("SELECT 1 AS x").only().number("x"), 1);
}

TEST_F(Postgres, MessagesDoNotRepeatRowValues) {
  db_.run("CREATE TABLE t (s text); INSERT INTO t VALUES ('very secret')");
  const auto session = open();
  try {
    session->query("SELECT s::int FROM public.t");
    FAIL();
  } catch (const SourceError& error) {
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("22P02"), std::string::npos) << error.what();
  }
}

TEST_F(Postgres, TheDeadlineIsTheServersFirst) {
  const auto session = open();
  session->set_deadline(clock_.now() + Seconds(0.3));
  const auto [why, lost] = outcome([&] { session->query("SELECT pg_sleep(30)"); });
  EXPECT_EQ(why, Reason::timeout);
  EXPECT_FALSE(lost) << "the server ended it, the session lives on";
  session->set_deadline(clock_.now() + Seconds(20));
  EXPECT_TRUE(session->usable());
}

TEST_F(Postgres, ALockIsNotWaitedForLong) {
  db_.run("CREATE TABLE t (i int)");
  Client locker(db_.dsn());
  locker.run("BEGIN; LOCK TABLE t");
  const auto session = open();
  EXPECT_EQ(reason([&] { session->query("SELECT count(*) FROM public.t"); }), Reason::lock);
}

/// The server process of a session, over TCP.
pid_t backend_of(LiveSession& session) {
  return static_cast<pid_t>(session.query("SELECT pg_backend_pid() AS pid").only().number("pid"));
}

TEST_F(Postgres, AFrozenServerProcessIsCutOffAndWatchedUntilItIsGone) {
  const auto session = open();
  const pid_t backend = backend_of(*session);
  session->set_deadline(clock_.now() + Seconds(0.3));
  ASSERT_EQ(::kill(backend, SIGSTOP), 0);
  const auto [why, lost] = outcome([&] { session->query("SELECT 1"); });
  EXPECT_EQ(why, Reason::timeout);
  EXPECT_TRUE(lost);
  EXPECT_FALSE(session->usable());
  const auto abandoned = session->abandon();
  ASSERT_NE(abandoned, nullptr);
  EXPECT_FALSE(abandoned->gone()) << "the process is still there and holds a slot";
  ::kill(backend, SIGCONT);
  EXPECT_TRUE(eventually([&] { return abandoned->gone(); }));
}

TEST_F(Postgres, AFrozenServerProcessBehindASocketToo) {
  const std::string dsn = "host=" + db_.cluster().socket_directory() +
                          " port=" + std::to_string(db_.cluster().port()) + " user=postgres";
  const auto session = open(dsn, db_.name());
  const pid_t backend = backend_of(*session);
  session->set_deadline(clock_.now() + Seconds(0.3));
  ASSERT_EQ(::kill(backend, SIGSTOP), 0);
  EXPECT_EQ(outcome([&] { session->query("SELECT 1"); }), std::pair(Reason::timeout, true));
  const auto abandoned = session->abandon();
  ASSERT_NE(abandoned, nullptr);
  EXPECT_FALSE(abandoned->gone());
  ::kill(backend, SIGCONT);
  EXPECT_TRUE(eventually([&] { return abandoned->gone(); }));
}

TEST_F(Postgres, WithoutADescriptorOfOurOwnThereIsNoSession) {
  const std::string dsn = "host=" + db_.cluster().socket_directory() +
                          " port=" + std::to_string(db_.cluster().port()) + " user=postgres";
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  const int next = ::dup(0);
  ::close(next);
  rlimit one_more = usual;
  one_more.rlim_cur = static_cast<rlim_t>(next) + 1;  // libpq's socket and no other
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &one_more), 0);
  const auto refused = [&]() -> std::optional<SourceError> {
    try {
      open(dsn, db_.name());
    } catch (const SourceError& error) {
      return error;
    }
    return std::nullopt;
  }();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
  ASSERT_TRUE(refused) << "no clock could end what it asks";
  EXPECT_EQ(refused->reason(), Reason::limit) << refused->what();
  EXPECT_TRUE(refused->session_lost());
  EXPECT_NE(std::string(refused->what()).find("HINT: "), std::string::npos) << refused->what();
  EXPECT_NO_THROW(open(dsn, db_.name()));
}

TEST_F(Postgres, ACancelledQuestionEnds) {
  const auto session = open();
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    session->cancel();
  });
  EXPECT_EQ(reason([&] { session->query("SELECT pg_sleep(19)"); }), Reason::timeout);
  canceller.join();
}

TEST_F(Postgres, ATerminatedSessionIsLost) {
  const auto session = open();
  const pid_t backend = backend_of(*session);
  db_.run("SELECT pg_terminate_backend(" + std::to_string(backend) + ")");
  EXPECT_TRUE(eventually([&] { return !session->usable(); })) << "noticed without asking";
  EXPECT_TRUE(failure([&] { session->query("SELECT 1"); }).session_lost());
  EXPECT_EQ(session->abandon(), nullptr) << "nothing is left of it";
}

TEST_F(Postgres, RefusalsSayWhy) {
  const auto refusal = [&](const std::string& dsn, const std::string& database) {
    return outcome([&] { open(dsn, database); });
  };
  const std::string port = std::to_string(db_.cluster().port());
  EXPECT_EQ(refusal("host=127.0.0.1 port=1 user=x", "x"), std::pair(Reason::connect, true));
  EXPECT_EQ(refusal("host=127.0.0.1 port=" + port + " user=nobody_such", "postgres"),
            std::pair(Reason::auth, true));
  EXPECT_EQ(refusal(db_.dsn(), "no_such_database"), std::pair(Reason::missing, true));
  EXPECT_EQ(refusal(db_.dsn() + " sslmode=require", db_.name()), std::pair(Reason::tls, true));
  db_.run("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0");
  EXPECT_EQ(refusal(db_.dsn("crowded"), db_.name()), std::pair(Reason::connect, true));
  db_.run("DROP ROLE crowded");
}

TEST_F(Postgres, TheServerEndsASessionThatNobodyHoldsAnyMore) {
  const auto session = open();
  for (const ServerTimeout& timeout : server_timeouts()) {
    if (timeout.since > session->server().version_num) continue;
    const Rows rows =
        session->query("SELECT setting FROM pg_settings WHERE name = $1", std::array{timeout.name});
    EXPECT_EQ(rows.only().text("setting"), timeout.value) << timeout.name;
  }
  const auto own = open(db_.dsn() + " options='-c idle_session_timeout=7000'", db_.name());
  EXPECT_EQ(own->query("SHOW idle_session_timeout").only().text("idle_session_timeout"), "7s")
      << "what the user asks for wins";
}

TEST_F(Postgres, ASessionThatMayNotSeeItselfIsASessionAllTheSame) {
  db_.run("CREATE ROLE seen LOGIN; CREATE ROLE worn; GRANT worn TO seen");
  {
    const auto session = open(db_.dsn("seen") + " options='-c role=worn'", db_.name());
    EXPECT_EQ(session->query("SELECT current_user AS u").only().text("u"), "worn");
    EXPECT_FALSE(session->began().empty());
  }
  db_.run("DROP ROLE seen; DROP ROLE worn");
}

TEST_F(Postgres, APoolerThatRefusesOurTimeOutsIsLoggedInToWithoutThem) {
  const PgBouncer bouncer(db_.cluster(), 2);
  const auto session = open(bouncer.dsn(db_.name()), db_.name());
  EXPECT_EQ(session->query("SHOW idle_session_timeout").only().text("idle_session_timeout"), "0");
  EXPECT_EQ(session->older_sessions("2999-01-01"), 0U) << "the pooler's sessions are not ours";
}

TEST_F(Postgres, AStatementPoolIsNamed) {
  const PgBouncer bouncer(db_.cluster(), 2, "statement");
  const SourceError error = failure([&] { open(bouncer.dsn(db_.name()), db_.name()); });
  EXPECT_EQ(error.reason(), Reason::config);
  EXPECT_TRUE(error.session_lost());
  EXPECT_NE(std::string(error.what()).find("statement pooling"), std::string::npos) << error.what();
  const PgBouncer whole(db_.cluster(), 2, "session");
  EXPECT_NO_THROW(open(whole.dsn(db_.name()), db_.name())->query("SELECT 1"));
}

TEST_F(Postgres, ADefaultOfSerializableAndDeferrableDoesNotMakeItWait) {
  db_.run("CREATE TABLE t (id int)");
  Client other(db_.dsn());
  other.run("BEGIN ISOLATION LEVEL SERIALIZABLE");
  other.run("INSERT INTO t VALUES (1)");
  db_.run("ALTER DATABASE " + db_.name() + " SET default_transaction_isolation = serializable");
  db_.run("ALTER DATABASE " + db_.name() + " SET default_transaction_deferrable = on");
  const auto session = open();
  session->set_deadline(clock_.now() + Seconds(5));
  EXPECT_EQ(session->query("SELECT current_setting('transaction_isolation') AS level")
                .only()
                .text("level"),
            "read committed");
  EXPECT_EQ(session->query("SELECT count(*) AS n FROM public.t").only().number("n"), 0);
  session->probe("SELECT id FROM public.t", 10);
}

TEST_F(Postgres, ADefaultOfSerializableIsNoErrorOnAStandby) {
  Cluster primary;
  {
    const Database db(primary, "app");
    db.run("ALTER DATABASE app SET default_transaction_isolation = serializable");
    const Cluster standby(Cluster::StandbyOf{primary});
    EXPECT_NO_THROW(open(standby.dsn("app"), "app")->query("SELECT count(*) FROM pg_class"));
  }
}

TEST_F(Postgres, NothingOfOursRemainsOnTheServerConnection) {
  const auto session = open();
  session->query("SELECT 1");
  session->probe("SELECT 1", 10);
  // An application behind the pooler would get this same server connection next.
  EXPECT_EQ(
      session
          ->query("SELECT count(*) AS n FROM pg_settings WHERE source = 'session' AND name NOT IN"
                  " ('transaction_read_only', 'transaction_isolation', 'transaction_deferrable',"
                  "  'statement_timeout', 'lock_timeout', 'search_path', 'row_security', 'jit',"
                  "  'max_parallel_workers_per_gather', 'constraint_exclusion', "
                  "'cursor_tuple_fraction', 'TimeZone', "
                  "'DateStyle',"
                  "  'standard_conforming_strings', 'extra_float_digits', 'IntervalStyle',"
                  "  'bytea_output', 'lc_monetary', 'quote_all_identifiers')")
          .only()
          .number("n"),
      0);
  const std::string cursors = "SELECT count(*) AS n FROM pg_cursors WHERE name = 'probe'";
  EXPECT_EQ(session->query(cursors).only().number("n"), 0);
}

}  // namespace
}  // namespace pg_integrity::test::pqxx_session_test
