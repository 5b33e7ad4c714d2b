#include <gtest/gtest.h>

#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::superusers_test {
namespace {

/// Superusers belong to a whole cluster. These tests have one of their own, so that no other test's
/// roles count.
class Superusers : public testing::Test {
 protected:
  static void SetUpTestSuite() { cluster = std::make_unique<Cluster>(); }
  static void TearDownTestSuite() { cluster.reset(); }

  static Findings look_at(const std::string& more, const std::string& user = "postgres") {
    return look(one_server(cluster->dsn("postgres", user), more, "superusers"));
  }
  static std::string lines(const Findings& found) {
    std::string all;
    for (const std::string& line : found.object("superusers").lines) all += line + "\n";
    return all;
  }
  static void run(const std::string& sql) { Client(cluster->dsn("postgres")).run(sql); }

  static inline std::unique_ptr<Cluster> cluster;
  static inline const std::string kAllow = "allow = { superusers = [\"postgres\"] }";
};

TEST_F(Superusers, WhoIsOnTheListIsExpected) {
  const Findings found = look_at(kAllow);
  EXPECT_EQ(found.value("pg_integrity_unexpected_superusers"), 0);
  EXPECT_EQ(found.state("superusers"), State::proven);
  const Findings nobody = look_at("allow = { superusers = [] }");
  EXPECT_EQ(nobody.value("pg_integrity_unexpected_superusers"), 1);
}

TEST_F(Superusers, AnotherOneIsAViolationUntilItIsNone) {
  run("CREATE ROLE extra SUPERUSER");
  const Findings found = look_at(kAllow);
  EXPECT_EQ(found.violated(), "superusers");
  EXPECT_EQ(found.value("pg_integrity_unexpected_superusers"), 1);
  EXPECT_EQ(lines(found), "extra is a superuser, or may become one\n");
  EXPECT_EQ(look_at("allow = { superusers = [\"post*\", \"extra\"] }").violated(), "");
  run("ALTER ROLE extra NOSUPERUSER");
  EXPECT_EQ(look_at(kAllow).violated(), "");
  run("DROP ROLE extra");
}

TEST_F(Superusers, AnotherOneCanBeAcceptedForAWhile) {
  run("CREATE ROLE extra SUPERUSER");
  const std::string accept =
      "\naccept = [{ object = \"superusers\", at_most = 1, until = 2099-01-01, reason = \"x\" }]";
  EXPECT_EQ(look_at(kAllow + accept).state("superusers"), State::accepted);
  run("DROP ROLE extra");
}

TEST_F(Superusers, WhoMaySetRoleToOneIsOne) {
  run("CREATE ROLE middle; GRANT postgres TO middle; CREATE ROLE climber LOGIN NOINHERIT;"
      "GRANT middle TO climber");
  const Findings found = look_at("allow = { superusers = [\"postgres\", \"middle\"] }");
  EXPECT_EQ(found.value("pg_integrity_unexpected_superusers"), 1);
  run("DROP ROLE climber; DROP ROLE middle");
}

TEST_F(Superusers, WhatIsCloseToASuperuserIsToldNotCounted) {
  run("CREATE ROLE close BYPASSRLS CREATEROLE REPLICATION; GRANT pg_write_server_files TO close;"
      "GRANT SET ON PARAMETER session_replication_role TO close");
  const Findings found = look_at(kAllow);
  EXPECT_EQ(found.value("pg_integrity_unexpected_superusers"), 0);
  EXPECT_EQ(lines(found),
            "close has BYPASSRLS, REPLICATION, CREATEROLE, SET session_replication_role, "
            "pg_write_server_files\n");
  run("REVOKE SET ON PARAMETER session_replication_role FROM close; DROP ROLE close");
}

TEST_F(Superusers, TheLeastRoleSeesThemToo) {
  run("CREATE ROLE extra SUPERUSER; CREATE ROLE watcher LOGIN");
  EXPECT_EQ(look_at(kAllow, "watcher").value("pg_integrity_unexpected_superusers"), 1);
  run("DROP ROLE extra; DROP ROLE watcher");
}

TEST_F(Superusers, WithoutAListNobodyIsJudged) {
  run("CREATE ROLE extra SUPERUSER");
  for (const char* allow : {"", "allow = { writers = [] }"}) {
    const Findings found = look_at(allow);
    EXPECT_EQ(found.violated(), "");
    EXPECT_FALSE(found.value("pg_integrity_unexpected_superusers"));
  }
  run("DROP ROLE extra");
}

}  // namespace
}  // namespace pg_integrity::test::superusers_test
