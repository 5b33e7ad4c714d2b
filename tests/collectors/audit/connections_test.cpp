#include <gtest/gtest.h>

#include <thread>

#include "collectors/base/errors.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::connections_test {
namespace {

/// Sessions belong to a whole cluster. These tests have one of their own, so that no other test's
/// sessions are seen.
class Connections : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster = std::make_unique<Cluster>();
    Client(cluster->dsn("postgres")).run("CREATE ROLE app LOGIN; CREATE ROLE watcher LOGIN");
  }
  static void TearDownTestSuite() { cluster.reset(); }
  /// A session outlives its client for a moment, so each test waits for those of the test before.
  void SetUp() override {
    Client admin(cluster->dsn("postgres"));
    ASSERT_TRUE(eventually([&] {
      return admin.ask("SELECT count(*) FROM pg_stat_activity WHERE usename <> 'postgres'") == "0";
    }));
  }

  static Findings look_at(const std::string& more = {}, const std::string& user = "postgres") {
    return look(one_server(cluster->dsn("postgres", user), more, "connections"));
  }
  static std::string allow(const std::string& lists) { return "allow = { " + lists + " }"; }
  static std::optional<double> unexpected(const Findings& found) {
    return found.value("pg_integrity_unexpected_connections");
  }

  static inline std::unique_ptr<Cluster> cluster;
};

TEST_F(Connections, CountsSessionsByUserAndStateAndTheRoomLeft) {
  const Client idle(cluster->dsn("postgres", "app"));
  Client in_transaction(cluster->dsn("postgres", "app"));
  in_transaction.run("BEGIN");
  const Findings found = look_at();
  EXPECT_EQ(found.value("pg_integrity_connections", {{"user", "app"}, {"state", "idle"}}), 1);
  EXPECT_EQ(
      found.value("pg_integrity_connections", {{"user", "app"}, {"state", "idle in transaction"}}),
      1);
  EXPECT_EQ(found.value("pg_integrity_connections_max"), 40);
  EXPECT_LE(found.value("pg_integrity_connections_available").value(), 40 - 3 - 3);
  EXPECT_GE(found.value("pg_integrity_connections_available").value(), 40 - 3 - 8);
  EXPECT_FALSE(unexpected(found)) << "without a list nobody is judged";
  EXPECT_EQ(found.violated(), "");
}

TEST_F(Connections, AUserOutsideTheListIsAViolation) {
  const std::string only_us = allow("users = [\"post*\"]");
  EXPECT_EQ(unexpected(look_at(only_us)), 0);
  EXPECT_EQ(look_at(only_us).state("connections"), State::proven);
  const Client stranger(cluster->dsn("postgres", "app"));
  const Findings found = look_at(only_us);
  EXPECT_EQ(unexpected(found), 1);
  EXPECT_EQ(found.violated(), "connections");
  EXPECT_EQ(found.object("connections").lines.at(0), "app from 127.0.0.1");
  EXPECT_EQ(look_at(allow("users = [\"postgres\", \"app\"]")).violated(), "");
}

TEST_F(Connections, AnAddressOutsideTheNetworksIsAViolation) {
  EXPECT_EQ(unexpected(look_at(allow("networks = [\"127.0.0.0/8\", \"::1/128\"]"))), 0);
  const Findings found = look_at(allow("networks = [\"10.0.0.0/8\"]"));
  EXPECT_GE(unexpected(found).value(), 1) << "our own session";
  EXPECT_EQ(found.violated(), "connections");
}

TEST_F(Connections, WhatOurRoleMayNotSeeIsUnproven) {
  const Client other(cluster->dsn("postgres", "app"));
  const std::string networks = allow("networks = [\"127.0.0.0/8\"]");
  Findings found = look_at(networks, "watcher");
  EXPECT_EQ(found.reason("connections"), Reason::permission);
  EXPECT_FALSE(unexpected(found)) << "none that we see is not none";
  EXPECT_EQ(found.value("pg_integrity_connections", {{"user", "app"}, {"state", "hidden"}}), 1);
  EXPECT_EQ(unexpected(look_at(allow("users = [\"watcher\", \"postgres\"]"), "watcher")), 1)
      << "users can be seen all the same";
  Client(cluster->dsn("postgres")).run("GRANT pg_monitor TO watcher");
  EXPECT_EQ(look_at(networks, "watcher").state("connections"), State::proven);
  Client(cluster->dsn("postgres")).run("REVOKE pg_monitor FROM watcher");
}

TEST_F(Connections, TheServersOwnWorkersAreNoSessionsThoughTheyHaveAUser) {
  Client admin(cluster->dsn("postgres"));
  ASSERT_EQ(admin.ask("SELECT usename FROM pg_stat_activity WHERE backend_type ="
                      " 'logical replication launcher'"),
            "postgres");
  admin.run("CREATE ROLE lone LOGIN");
  const std::string dsn = cluster->dsn("postgres", "lone");
  const char* const others =
      "SELECT count(*) FROM pg_stat_activity WHERE usename = 'postgres'"
      " AND backend_type = 'client backend'";
  ASSERT_TRUE(eventually([&] { return admin.ask(others) == "1"; }));
  // The test's own session is the only one of postgres. Without it nothing is left to be hidden.
  const Findings with = look(one_server(dsn, allow("users = [\"lone\"]"), "connections"));
  EXPECT_EQ(unexpected(with), 1);
  EXPECT_EQ(with.value("pg_integrity_connections", {{"user", "postgres"}, {"state", "hidden"}}), 1);
  admin.run("ALTER ROLE lone SUPERUSER");
  Client last(dsn);
  last.run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
      " WHERE usename = 'postgres' AND backend_type = 'client backend'");
  ASSERT_TRUE(eventually([&] { return last.ask(others) == "0"; }));
  last.run("ALTER ROLE lone NOSUPERUSER");
  const Findings without = look(one_server(dsn, allow("users = [\"lone\"]"), "connections"));
  EXPECT_EQ(unexpected(without), 0);
  EXPECT_EQ(without.violated(), "");
  EXPECT_FALSE(without.value("pg_integrity_connections", {{"state", "hidden"}}));
}

TEST_F(Connections, WhoeverReplicatesIsJudgedAndTakesNobodysPlace) {
  Client admin(cluster->dsn("postgres"));
  admin.run("CREATE ROLE thief LOGIN REPLICATION");
  const std::string only_us = allow("users = [\"postgres\", \"watcher\"]");
  EXPECT_EQ(unexpected(look_at(only_us)), 0);
  const TemporaryDirectory wal;
  Process stream({Cluster::programs() + "/pg_receivewal", "-D", wal.path(), "-d",
                  "host=127.0.0.1 port=" + std::to_string(cluster->port()) + " user=thief"});
  ASSERT_TRUE(eventually([&] {
    return admin.ask("SELECT count(*) FROM pg_stat_replication WHERE usename = 'thief'") == "1";
  }));
  for (const char* user : {"postgres", "watcher"}) {
    const Findings found = look_at(only_us, user);
    EXPECT_EQ(unexpected(found), 1) << user;
    EXPECT_EQ(found.violated(), "connections") << user;
    EXPECT_FALSE(found.value("pg_integrity_connections", {{"user", "thief"}})) << user;
    double sessions = 0;
    for (const auto& sample : found.page.all("pg_integrity_connections")) sessions += sample.value;
    EXPECT_EQ(found.value("pg_integrity_connections_available"), 40 - 3 - sessions) << user;
  }
}

TEST_F(Connections, ALogWithoutAnEntryOfALivingSessionIsSilent) {
  Client session(cluster->dsn("postgres", "app"));
  Client admin(cluster->dsn("postgres"));
  admin.run("CREATE TABLE log (at timestamptz)");
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  const std::string log =
      "[server.collectors.connections]\n"
      "log = { table = \"log\", time = \"at\", grace = \"1s\" }";
  EXPECT_EQ(look_at(log).violated(), "connections") << "nothing was ever logged";
  admin.run("INSERT INTO log SELECT min(backend_start) - interval '1 hour' FROM pg_stat_activity");
  EXPECT_EQ(look_at(log).violated(), "connections") << "nothing since";
  admin.run("INSERT INTO log VALUES (now() + interval '1 day'), ('infinity'), (NULL)");
  EXPECT_EQ(look_at(log).violated(), "connections") << "nobody connected tomorrow";
  admin.run("INSERT INTO log VALUES (now())");
  const Findings found = look_at(log);
  EXPECT_EQ(found.value("pg_integrity_connection_log_silent"), 0);
  EXPECT_EQ(found.state("connections"), State::proven);
  EXPECT_EQ(look_at().violated(), "") << "not configured, not judged";
  const std::string small =
      "[server.collectors.connections]\nexact_up_to = \"1kB\"\n"
      "log = { table = \"log\", time = \"at\", grace = \"1s\" }";
  EXPECT_EQ(look_at(small).reason("connections"), Reason::too_large);
  admin.run("CREATE INDEX ON log (at)");
  EXPECT_EQ(look_at(small).value("pg_integrity_connection_log_silent"), 0) << "through its index";
  admin.run("DROP TABLE log");
  EXPECT_EQ(look_at(log).reason("connections"), Reason::missing);
}

}  // namespace
}  // namespace pg_integrity::test::connections_test
