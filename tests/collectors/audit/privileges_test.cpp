#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::privileges_test {
namespace {

/// Roles belong to a whole cluster. These tests have one of their own, so that no other test's
/// roles count.
class Privileges : public testing::Test {
 protected:
  static void SetUpTestSuite() { cluster = std::make_unique<Cluster>(); }
  static void TearDownTestSuite() { cluster.reset(); }

  /// A database with the tables t and u. Their owner app may write to them, and nobody else.
  Privileges() : db(*cluster) {
    db.run(
        "CREATE ROLE app LOGIN; CREATE ROLE stranger LOGIN; CREATE ROLE team;"
        "CREATE TABLE t (i int, j int); CREATE TABLE u (i int); ALTER TABLE t OWNER TO app;"
        "ALTER TABLE u OWNER TO app; GRANT SELECT ON t, u TO stranger");
  }
  ~Privileges() override {
    db.run("DROP OWNED BY app, stranger, team; DROP ROLE app, stranger, team");
  }

  [[nodiscard]] Findings look_at(const std::string& more = kAllow,
                                 std::shared_ptr<const SavedEvidence> record = nullptr) const {
    return look(one_server(db.dsn(), more, "privileges"), std::move(record));
  }
  [[nodiscard]] std::optional<double> writers(const Findings& found, const char* table) const {
    return found.value("pg_integrity_unexpected_writers", {{"schema", "public"}, {"table", table}});
  }
  /// After `grant` the collector finds stranger at t and at no other table. After `revoke` it finds
  /// nobody.
  void expect_found(const std::string& grant, const std::string& revoke) const {
    db.run(grant);
    Findings found = look_at();
    EXPECT_EQ(writers(found, "t"), 1) << grant;
    EXPECT_FALSE(writers(found, "u")) << grant;
    EXPECT_NE(found.violated().find("privileges/public.t"), std::string::npos) << grant;
    db.run(revoke);
    found = look_at(kAllow, found.saved);
    EXPECT_EQ(writers(found, "t"), 0) << revoke;
    EXPECT_FALSE(writers(look_at(kAllow, found.saved), "t")) << "nothing to say of it any more";
  }

  static inline std::unique_ptr<Cluster> cluster;
  static inline const std::string kAllow = "allow = { writers = [\"app\"] }";
  Database db;
};

TEST_F(Privileges, WhoIsOnTheListOrOnlyReadsIsNoFinding) {
  const Findings found = look_at();
  EXPECT_TRUE(found.page.all("pg_integrity_unexpected_writers").empty());
  EXPECT_EQ(found.violated(), "privileges") << "our own role is a superuser";
  EXPECT_EQ(writers(look_at("allow = { writers = [] }"), "u"), 1) << "the owner";
}

TEST_F(Privileges, EveryWayToChangeATableIsFound) {
  for (const char* right : {"INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "UPDATE (j)"})
    expect_found("GRANT " + std::string(right) + " ON t TO stranger",
                 "REVOKE " + std::string(right) + " ON t FROM stranger");
  expect_found("ALTER TABLE t OWNER TO stranger", "ALTER TABLE t OWNER TO app");
  expect_found("ALTER TABLE t OWNER TO stranger; REVOKE ALL ON t FROM stranger",
               "ALTER TABLE t OWNER TO app; GRANT ALL ON t TO app");
  expect_found("GRANT DELETE ON t TO PUBLIC", "REVOKE DELETE ON t FROM PUBLIC");
  expect_found("GRANT DELETE ON t TO team; GRANT team TO stranger", "REVOKE team FROM stranger");
}

TEST_F(Privileges, WhatSetRoleReachesCounts) {
  db.run("ALTER ROLE stranger NOINHERIT");
  expect_found("GRANT DELETE ON t TO team; GRANT team TO stranger", "REVOKE team FROM stranger");
}

TEST_F(Privileges, WhoMayWriteEverythingIsFoundOnEveryTable) {
  if (cluster->major() < 14) GTEST_SKIP() << "pg_write_all_data came with 14";
  db.run("GRANT pg_write_all_data TO stranger");
  const Findings found = look_at();
  EXPECT_EQ(writers(found, "t"), 1);
  EXPECT_EQ(writers(found, "u"), 1);
  EXPECT_NE(found.object("privileges/public.t").lines.at(0).find("stranger"), std::string::npos);
}

TEST_F(Privileges, AGrantWithoutTheSchemaOpensNothing) {
  db.run(
      "CREATE SCHEMA closed; CREATE TABLE closed.c (i int); GRANT DELETE ON closed.c TO stranger");
  const LabelSet labels{{"schema", "closed"}, {"table", "c"}};
  EXPECT_FALSE(look_at().value("pg_integrity_unexpected_writers", labels));
  db.run("GRANT USAGE ON SCHEMA closed TO stranger");
  EXPECT_EQ(look_at().value("pg_integrity_unexpected_writers", labels), 1);
}

TEST_F(Privileges, APartitionThatCanBeWrittenToOpensItsRoot) {
  db.run(
      "CREATE TABLE p (i int) PARTITION BY RANGE (i);"
      "CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (9); GRANT DELETE ON p_1 TO "
      "stranger");
  const Findings found = look_at();
  EXPECT_EQ(writers(found, "p"), 1);
  EXPECT_EQ(found.page.all("pg_integrity_unexpected_writers").size(), 1U);
}

TEST_F(Privileges, AConfiguredTableIsAlwaysShownAndHasAListOfItsOwn) {
  const std::string audit =
      "\n[[server.collectors.privileges.tables]]\ntable = \"t\"\nwriters = [\"auditor\"]\n";
  Findings found = look_at(audit);
  EXPECT_EQ(writers(found, "t"), 1) << "app owns it, and is not on its list";
  EXPECT_EQ(found.violated(), "privileges/public.t");
  db.run("ALTER TABLE t OWNER TO postgres");
  found = look_at(kAllow + audit);
  EXPECT_EQ(writers(found, "t"), 0);
  EXPECT_EQ(found.state("privileges/public.t"), State::proven);
  db.run("DROP TABLE t");
  EXPECT_EQ(look_at(audit).reason("privileges/public.t"), Reason::missing);
}

TEST_F(Privileges, WithoutAListNobodyIsJudged) {
  db.run("GRANT ALL ON t TO PUBLIC");
  const Findings found = look_at("");
  EXPECT_TRUE(found.page.all("pg_integrity_unexpected_writers").empty());
  EXPECT_EQ(found.violated(), "");
  EXPECT_EQ(found.value("pg_integrity_own_excess_privileges"), 1) << "superuser: told, not judged";
  EXPECT_EQ(found.state("privileges"), State::observed);
}

TEST_F(Privileges, OurOwnRoleShouldOnlyRead) {
  const auto excess = [&](const std::string& user) {
    return look(one_server(db.dsn(user), kAllow, "privileges"));
  };
  Findings found = excess("stranger");
  EXPECT_EQ(found.value("pg_integrity_own_excess_privileges"), 0);
  EXPECT_EQ(found.state("privileges"), State::proven);
  db.run(
      "ALTER ROLE stranger CREATEDB; GRANT pg_write_server_files TO stranger;"
      "GRANT DELETE ON t, u TO stranger");
  found = excess("stranger");
  EXPECT_EQ(found.value("pg_integrity_own_excess_privileges"), 3);
  EXPECT_EQ(found.violated(), "privileges privileges/public.t privileges/public.u");
  std::string lines;
  for (const std::string& line : found.object("privileges").lines) lines += line;
  for (const char* power : {"CREATEDB", "membership in pg_write_server_files", "writing to 2 tab"})
    EXPECT_NE(lines.find(power), std::string::npos) << power << lines;
}

TEST_F(Privileges, ATableWithoutAnyListIsRefused) {
  EXPECT_THROW(options_from(one_server("host=127.0.0.1 dbname=d",
                                       "[[server.collectors.privileges.tables]]\ntable = \"t\"")),
               std::runtime_error);
}

}  // namespace
}  // namespace pg_integrity::test::privileges_test
