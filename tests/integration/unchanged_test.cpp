// Passes that are left out because nothing was committed, and everything that must not be missed
// because of that.
#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <string>

#include "collectors/base/instant.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"
#include "tests/support/pgbouncer.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::unchanged_test {
namespace {

constexpr const char* kTables = R"(
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent);
  INSERT INTO parent SELECT generate_series(1, 10);
  INSERT INTO child SELECT i, i FROM generate_series(1, 10) i;)";
constexpr const char* kKey = "orphans/public.child.child_parent_id_fkey";
constexpr const char* kReplica = "SET session_replication_role = replica;";
constexpr const char* kLosesAParent = "DELETE FROM parent WHERE id = 5";

/// One collector at an interval of a minute.
class Watched {
 public:
  explicit Watched(const Database& db, std::string collector = "orphans",
                   const std::string& options = {})
      : Watched(db.dsn(), std::move(collector), options) {}
  explicit Watched(const std::string& dsn, std::string collector = "orphans",
                   const std::string& options = {})
      : collector_(std::move(collector)),
        scheduler_(one_server(
            dsn, "[server.collectors." + collector_ + "]\ninterval = \"1m\"\n" + options + "\n",
            collector_)) {
    EXPECT_TRUE(eventually([&] { return runs() > 0; }));
  }

  /// Lets the next pass come, made or left out.
  void next_pass() {
    const double before = runs();
    scheduler_.clock.advance(Seconds(61));
    EXPECT_TRUE(eventually([&] { return runs() > before; }));
  }
  /// @return whether a pass is left out in the end. The server's own work, such as autovacuum, may
  /// commit at first.
  bool comes_to_rest() {
    for (int i = 0; i < 20; ++i) {
      const double before = runs("unchanged");
      next_pass();
      if (runs("unchanged") > before) return true;
    }
    return false;
  }
  State state(const std::string& object = kKey) { return scheduler_.findings().state(object); }
  Findings findings() { return scheduler_.findings(); }
  double runs(const std::string& outcome) {
    return scheduler_.page()
        .value("pg_integrity_collector_runs_total",
               {{"collector", collector_}, {"outcome", outcome}})
        .value_or(0);
  }
  Seconds age_of_evidence(const std::string& object = kKey) {
    const Findings found = scheduler_.findings();
    return Seconds(found.report.made_at - found.object(object).evidence_time.value());
  }
  SteppedClock& clock() { return scheduler_.clock; }

 private:
  double runs() { return runs("success") + runs("unchanged"); }

  const std::string collector_;
  RunningScheduler scheduler_;
};

TEST(Unchanged, APassIsLeftOutAndItsEvidenceIsNewAllTheSame) {
  const Database db;
  db.run(kTables);
  Watched watched(db);
  ASSERT_TRUE(watched.comes_to_rest());
  const double made = watched.runs("success");
  for (int i = 0; i < 10; ++i) watched.next_pass();
  EXPECT_EQ(watched.runs("success"), made) << "somebody else has committed, or a pass was made";
  EXPECT_EQ(watched.state(), State::proven);
  EXPECT_LT(watched.age_of_evidence().count(), 61);
  EXPECT_EQ(watched.findings().value("pg_integrity_orphaned_rows"), 0);
}

TEST(Unchanged, WhatIsRedStaysRedAndIsNotReadAgainEither) {
  const Database db;
  db.run(kTables);
  db.run(kReplica + std::string(kLosesAParent));
  Watched watched(db);
  ASSERT_TRUE(watched.comes_to_rest());
  EXPECT_EQ(watched.state(), State::violated);
  db.run("INSERT INTO parent VALUES (5)");
  watched.next_pass();
  EXPECT_EQ(watched.state(), State::proven);
}

/// A way in which rows change between two passes.
struct Change {
  const char* name;
  std::function<void(const Database&, Client&)> before;  ///< before the first pass
  std::function<void(const Database&, Client&)> after;   ///< after passes were left out
};

void PrintTo(const Change& change, std::ostream* out) {
  *out << change.name;
}

class SeenAfter : public ::testing::TestWithParam<Change> {};

TEST_P(SeenAfter, PassesWereLeftOut) {
  const Database db;
  db.run(kTables);
  Client other(db.dsn());
  GetParam().before(db, other);
  Watched watched(db);
  ASSERT_TRUE(watched.comes_to_rest());
  ASSERT_EQ(watched.state(), State::proven);
  GetParam().after(db, other);
  watched.next_pass();
  EXPECT_EQ(watched.state(), State::violated);
}

const auto kNothing = [](const Database&, Client&) {};

INSTANTIATE_TEST_SUITE_P(
    By, SeenAfter,
    ::testing::Values(
        Change{"a_statement", kNothing,
               [](const Database& db, Client&) { db.run(kReplica + std::string(kLosesAParent)); }},
        Change{"a_transaction_that_was_open",
               [](const Database&, Client& other) {
                 other.run(kReplica);
                 other.run("BEGIN");
                 other.run(kLosesAParent);
               },
               [](const Database&, Client& other) { other.run("COMMIT"); }},
        Change{"a_session_that_goes_on_with_another_transaction",
               [](const Database&, Client& other) {
                 other.run(kReplica);
                 other.run("BEGIN");
                 other.run(kLosesAParent);
               },
               [](const Database&, Client& other) {
                 other.run("COMMIT AND CHAIN");
                 other.run("INSERT INTO parent VALUES (77)");
               }},
        Change{"a_subtransaction",
               [](const Database&, Client& other) {
                 other.run(kReplica);
                 other.run("BEGIN");
                 other.run("INSERT INTO parent VALUES (78)");
                 other.run("SAVEPOINT a");
               },
               [](const Database&, Client& other) {
                 other.run(kLosesAParent);
                 other.run("RELEASE a");
                 other.run("COMMIT");
               }},
        Change{"a_prepared_transaction",
               [](const Database&, Client& other) {
                 other.run(kReplica);
                 other.run("BEGIN");
                 other.run(kLosesAParent);
                 other.run("PREPARE TRANSACTION 'loss'");
               },
               [](const Database& db, Client&) { db.run("COMMIT PREPARED 'loss'"); }},
        Change{"a_commit_in_a_block", kNothing,
               [](const Database&, Client& other) {
                 other.run(kReplica);
                 other.run("DO $$ BEGIN DELETE FROM parent WHERE id = 5; COMMIT; END $$");
               }},
        Change{"truncate", kNothing,
               [](const Database& db, Client&) {
                 db.run("CREATE TABLE kept AS TABLE child; TRUNCATE parent CASCADE;");
                 db.run(kReplica + std::string("INSERT INTO child TABLE kept"));
               }},
        Change{
            "a_key_that_is_no_longer_enforced", kNothing,
            [](const Database& db, Client&) { db.run("ALTER TABLE child DISABLE TRIGGER ALL"); }},
        Change{"asynchronous_commit", kNothing,
               [](const Database&, Client& other) {
                 other.run("SET synchronous_commit = off");
                 other.run(kReplica);
                 other.run(kLosesAParent);
               }}),
    [](const auto& of) { return std::string(of.param.name); });

TEST(Unchanged, ACommitInAnotherDatabaseOnlyCostsAPass) {
  const Database db;
  const Database other;
  db.run(kTables);
  Watched watched(db);
  ASSERT_TRUE(watched.comes_to_rest());
  const double made = watched.runs("success");
  other.run("CREATE TABLE t ()");
  watched.next_pass();
  EXPECT_EQ(watched.runs("success"), made + 1);
}

TEST(Unchanged, AStandbyShowsWhatItReplays) {
  Cluster primary;
  Client admin(primary.dsn("postgres"));
  admin.run(kTables);
  const Cluster standby{Cluster::StandbyOf{primary}};
  Watched watched(standby.dsn("postgres"));
  ASSERT_TRUE(watched.comes_to_rest());
  ASSERT_EQ(watched.state(), State::proven);
  admin.run(kReplica);
  admin.run(kLosesAParent);
  ASSERT_TRUE(eventually([&] {
    return admin.ask(
               "SELECT bool_and(replay_lsn = pg_current_wal_lsn())"
               " FROM pg_stat_replication") == "t";
  }));
  watched.next_pass();
  EXPECT_EQ(watched.state(), State::violated);
}

TEST(Unchanged, BehindAPoolerEachPassIsMade) {
  const Database db;
  db.run(kTables);
  for (const char* const mode : {"transaction", "session"}) {
    const PgBouncer bouncer(db.cluster(), 1, mode);
    Watched watched(bouncer.dsn(db.name()));
    for (int i = 0; i < 3; ++i) watched.next_pass();
    EXPECT_EQ(watched.runs("unchanged"), 0) << mode;
    EXPECT_EQ(watched.state(), State::proven) << mode;
  }
}

TEST(Unchanged, ALockedTableIsLookedAtAgain) {
  const Database db;
  db.run(kTables);
  Client other(db.dsn());
  other.run("BEGIN; LOCK TABLE parent");
  Watched watched(db);
  ASSERT_EQ(watched.state(), State::unproven);
  other.run("ROLLBACK");  // commits nothing
  watched.next_pass();
  EXPECT_EQ(watched.state(), State::proven);
}

TEST(Unchanged, RowsOfTheFutureBecomeRowsOfThePast) {
  const Database db;
  db.run(
      "CREATE TABLE event (id int, created_at timestamptz);"
      "INSERT INTO event VALUES (1, now() + interval '1 hour')");
  Watched watched(db, "freshness");
  for (int i = 0; i < 3; ++i) watched.next_pass();
  EXPECT_EQ(watched.runs("unchanged"), 0);
  db.run("UPDATE event SET created_at = now()");
  EXPECT_TRUE(watched.comes_to_rest());
}

TEST(Unchanged, ACrashEmptiesUnloggedTablesWithoutACommit) {
  Cluster cluster;
  const Database db(cluster);
  db.run("CREATE UNLOGGED TABLE cache (id int); INSERT INTO cache SELECT generate_series(1, 7)");
  Watched watched(db, "row_counts",
                  "[[server.collectors.row_counts.limits]]\ntable = \"cache\"\nmin_rows = 5\n");
  const std::string object = "row_counts/public.cache";
  ASSERT_TRUE(watched.comes_to_rest());
  ASSERT_EQ(watched.state(object), State::proven);
  Client victim(db.dsn());
  ::kill(std::stoi(victim.ask("SELECT pg_backend_pid()")), SIGKILL);
  const auto is_found = [&] { return watched.state(object) == State::violated; };
  EXPECT_TRUE(eventually([&] {
    watched.clock().advance(Seconds(61));
    return eventually(is_found, std::chrono::seconds(2));  // a login takes real time
  }));
}

TEST(Unchanged, AFullCheckSeesWhatNoCommitTold) {
  const Database db;
  db.run(kTables);
  if (db.ask("SELECT current_setting('server_version_num')::int >= 140000") != "t")
    GTEST_SKIP() << "pg_surgery is new in PostgreSQL 14";
  db.run("CREATE EXTENSION pg_surgery");
  Watched watched(db, "orphans", "full_check_interval = \"1h\"");
  ASSERT_TRUE(watched.comes_to_rest());
  // Rows are damaged without a transaction that others could see.
  db.run("SELECT heap_force_kill('parent', ARRAY['(0,5)'::tid])");
  watched.next_pass();
  ASSERT_EQ(watched.state(), State::proven)
      << "something was committed, so this test shows nothing";
  watched.clock().advance(Seconds(3600));
  EXPECT_TRUE(eventually([&] { return watched.state() == State::violated; }));
  EXPECT_EQ(watched.findings().value("pg_integrity_collector_full_check_interval_seconds",
                                     {{"collector", "orphans"}}),
            3600);
}

TEST(Unchanged, OfNoIntervalEachPassIsMade) {
  const Database db;
  db.run(kTables);
  Watched watched(db, "orphans", "full_check_interval = \"0s\"");
  for (int i = 0; i < 5; ++i) watched.next_pass();
  EXPECT_EQ(watched.runs("unchanged"), 0);
}

}  // namespace
}  // namespace pg_integrity::test::unchanged_test
