#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/looks_on.h"

namespace pg_integrity::test::wal_test {
namespace {

std::string config(const Cluster& cluster, const std::string& options,
                   const std::string& user = "postgres") {
  return one_server(cluster.dsn("postgres", user), "[server.collectors.wal]\n" + options + "\n",
                    "wal");
}

/// Sets archive_command. "true" archives at once, "false" never does.
void archive_by(Client& admin, const std::string& command) {
  admin.run("ALTER SYSTEM SET archive_command = '" + command + "'");
  admin.run("SELECT pg_reload_conf()");
}

/// Ends the current segment.
void switch_wal(Client& admin) {
  admin.run("SELECT pg_create_restore_point('x')");
  admin.run("SELECT pg_switch_wal()");
}

/// Waits until the archiver fails. It still archives what it took before it read its new command.
bool gets_stuck(Client& admin) {
  archive_by(admin, "false");
  return eventually([&] {
    switch_wal(admin);
    return admin.ask(
               "SELECT last_failed_time > coalesce(last_archived_time, '-infinity')"
               " FROM pg_stat_archiver") == "t";
  });
}

class Archiver : public testing::Test {
 protected:
  Archiver() : cluster_({{"archive_mode", "on"}, {"archive_command", "'true'"}}) {
    admin_.run("CREATE ROLE watcher LOGIN");
  }

  void archive_one() {
    switch_wal(admin_);
    ASSERT_TRUE(eventually(
        [&] { return admin_.ask("SELECT archived_count > 0 FROM pg_stat_archiver") == "t"; }));
  }

  Cluster cluster_;
  Client admin_{cluster_.dsn("postgres")};
};

TEST_F(Archiver, OneThatWorksIsProvenAndAsOldAsItsLastSegment) {
  archive_one();
  const Findings found = look(config(cluster_, "archive_max_age = \"1h\"\nmax_ready = 100"));
  EXPECT_EQ(found.state("wal"), State::proven);
  EXPECT_EQ(found.value("pg_integrity_wal_archive_failing"), 0);
  EXPECT_EQ(found.value("pg_integrity_wal_archive_failures"), 0);
  EXPECT_LT(found.value("pg_integrity_wal_archive_age_seconds").value(), 3600);
  EXPECT_LT(found.value("pg_integrity_wal_ready_files").value(), 100);
}

TEST_F(Archiver, OneThatFailsIsAViolationOnceASecondLookAgrees) {
  ASSERT_TRUE(gets_stuck(admin_));
  RunningScheduler scheduler(config(cluster_, "max_ready = 0"));
  ASSERT_TRUE(has_looked(scheduler, "wal"));
  EXPECT_GE(scheduler.page().value("pg_integrity_wal_ready_files").value(), 1) << "they pile up";
  EXPECT_FALSE(scheduler.page().value("pg_integrity_wal_archive_failing"));
  ASSERT_TRUE(looks_again(scheduler, "wal", Seconds(31)));
  EXPECT_EQ(scheduler.page().value("pg_integrity_wal_archive_failing"), 1);
  EXPECT_EQ(scheduler.findings().violated(), "wal");
  archive_by(admin_, "true");
  EXPECT_TRUE(eventually([&] {
    return admin_.ask("SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'") ==
           "0";
  }));
  EXPECT_TRUE(comes_true(scheduler, "wal", Seconds(31),
                         [&] { return scheduler.findings().state("wal") == State::proven; }));
}

TEST_F(Archiver, OneFailureIsPending) {
  ASSERT_TRUE(gets_stuck(admin_));
  const Findings found = look(config(cluster_, ""));
  EXPECT_EQ(found.reason("wal"), Reason::pending);
  EXPECT_GE(found.value("pg_integrity_wal_archive_failures").value(), 1);
}

TEST_F(Archiver, AnIdleServerIsNoAlarmUnlessOneIsAskedFor) {
  archive_one();
  ASSERT_TRUE(eventually([&] {
    return admin_.ask(
               "SELECT now() - last_archived_time > interval '1 second'"
               " FROM pg_stat_archiver") == "t";
  }));
  EXPECT_EQ(look(config(cluster_, "")).state("wal"), State::proven);
  EXPECT_EQ(look(config(cluster_, "archive_max_age = \"1s\"")).violated(), "wal");
}

TEST_F(Archiver, WhoMayNotListWhatWaitsProvesNothing) {
  EXPECT_EQ(look(config(cluster_, "max_ready = 5", "watcher")).reason("wal"), Reason::permission);
  const Findings unlimited = look(config(cluster_, "", "watcher"));
  EXPECT_EQ(unlimited.state("wal"), State::proven) << "nobody asked for that";
  EXPECT_FALSE(unlimited.value("pg_integrity_wal_ready_files"));
  admin_.run("GRANT EXECUTE ON FUNCTION pg_ls_archive_statusdir() TO watcher");
  EXPECT_EQ(look(config(cluster_, "max_ready = 5", "watcher")).state("wal"), State::proven);
}

TEST(Wal, AServerThatDoesNotArchiveIsNotJudgedUnlessItShould) {
  const Cluster& cluster = Cluster::shared();
  const Findings found = look(config(cluster, ""));
  EXPECT_FALSE(found.has_object("wal"));
  EXPECT_FALSE(found.value("pg_integrity_wal_archive_failing"));
  EXPECT_EQ(look(config(cluster, "max_ready = 5")).reason("wal"), Reason::missing);
}

class Standby : public testing::Test {
 protected:
  bool in_step() {
    return eventually([&] {
      return admin_.ask(
                 "SELECT bool_and(replay_lsn = pg_current_wal_lsn())"
                 " FROM pg_stat_replication") == "t";
    });
  }

  Cluster primary_;
  Cluster standby_{Cluster::StandbyOf{primary_}};
  Client admin_{primary_.dsn("postgres")};
};

TEST_F(Standby, IsBehindSinceTheServerWasWhereItIs) {
  const std::string limit = "standbys = [\"walreceiver\"]\nmax_lag = \"10m\"";
  ASSERT_TRUE(in_step());
  RunningScheduler scheduler(config(primary_, limit));
  const auto lag = [&] { return scheduler.page().value("pg_integrity_standby_lag_seconds"); };
  ASSERT_TRUE(has_looked(scheduler, "wal"));
  EXPECT_TRUE(comes_true(scheduler, "wal", Seconds(31), [&] { return lag() == 0; }));
  EXPECT_EQ(scheduler.findings().state("wal/walreceiver"), State::proven);
  Client on_standby(standby_.dsn("postgres"));
  on_standby.run("SELECT pg_wal_replay_pause()");
  admin_.run("CREATE TABLE t AS SELECT generate_series(1, 1000) i");
  EXPECT_TRUE(comes_true(scheduler, "wal", Seconds(200),
                         [&] { return scheduler.findings().violated() == "wal/walreceiver"; }));
  EXPECT_GT(scheduler.page().value("pg_integrity_standby_lag_bytes").value(), 0);
  on_standby.run("SELECT pg_wal_replay_resume()");
  ASSERT_TRUE(in_step());
  EXPECT_TRUE(comes_true(scheduler, "wal", Seconds(31), [&] { return lag() == 0; }));
}

TEST_F(Standby, ThatIsNotConnectedIsMissingWhereOneIsExpected) {
  ASSERT_TRUE(in_step());
  const Findings found = look(config(primary_, "standbys = [\"other\"]\nmax_lag = \"10m\""));
  EXPECT_EQ(found.reason("wal/other"), Reason::missing);
  EXPECT_EQ(found.state("wal/walreceiver"), State::observed);
}

TEST_F(Standby, ThatMayNotBeSeenProvesNothing) {
  admin_.run("CREATE ROLE watcher LOGIN");
  const std::string limit = "standbys = [\"walreceiver\"]\nmax_lag = \"10m\"";
  EXPECT_EQ(look(config(primary_, limit, "watcher")).reason("wal/walreceiver"), Reason::permission);
}

TEST_F(Standby, ASlotThatNobodyReadsKeepsWal) {
  admin_.run("SELECT pg_create_physical_replication_slot('left_behind', true)");
  switch_wal(admin_);
  admin_.run("CREATE TABLE t AS SELECT generate_series(1, 1000) i");
  const Findings found = look(config(primary_, "max_retained = \"1kB\""));
  EXPECT_EQ(found.violated(), "wal/left_behind");
  EXPECT_GT(found.value("pg_integrity_slot_retained_bytes", {{"slot", "left_behind"}}).value(),
            1000);
}

TEST(Slots, ThatAreLostAreFindings) {
  Cluster primary({{"wal_level", "logical"},
                   {"max_slot_wal_keep_size", "'1MB'"},
                   {"min_wal_size", "'32MB'"},
                   {"max_wal_size", "'32MB'"}});
  const Database db(primary);
  db.run(
      "SELECT pg_create_physical_replication_slot('gone', true);"
      "SELECT pg_create_physical_replication_slot('kept')");
  const std::string toml = one_server(db.dsn(), {}, "wal");
  EXPECT_EQ(look(toml).violated(), "");
  for (int i = 0; i < 5; ++i) {
    db.run("SELECT pg_switch_wal()");
    db.run("CREATE TABLE t" + std::to_string(i) + " AS SELECT generate_series(1, 100) i");
  }
  db.run("CHECKPOINT");
  const Findings found = look(toml);
  EXPECT_EQ(found.violated(), "wal/gone");
  EXPECT_EQ(found.value("pg_integrity_slot_lost", {{"slot", "kept"}}), 0);
  EXPECT_EQ(found.object("wal/gone").lines.at(0), "the server says: wal_removed");
}

}  // namespace
}  // namespace pg_integrity::test::wal_test
