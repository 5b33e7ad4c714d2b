#include "exporter/postgres/obstacle.h"

#include <gtest/gtest.h>

#include <string>

#include "collectors/base/errors.h"
#include "collectors/ports/session.h"
#include "tests/support/cluster.h"
#include "tests/support/failure.h"
#include "tests/support/opened_session.h"

namespace pg_integrity::test::obstacle_test {
namespace {

using Names = std::vector<QualifiedName>;

TEST(RelationsIn, NamesAreReadOnceAndInTheirOrder) {
  EXPECT_EQ(relations_in("SELECT 1"), Names{});
  EXPECT_EQ(relations_in(R"(SELECT "id" FROM ONLY "s"."t" c JOIN "s"."u" USING (id), "s"."t")"),
            (Names{{"s", "t"}, {"s", "u"}}));
  EXPECT_EQ(relations_in(R"(E'"s"."t"'::pg_catalog.regclass)"), (Names{{"s", "t"}}));
  EXPECT_EQ(relations_in("FROM " + QualifiedName{"a\"b", "c.d\""}.sql()),
            (Names{{"a\"b", "c.d\""}}));
  for (const char* broken : {"\"", "\"s", "\"s\"", "\"s\".", "\"s\".\"t", "\"s\".t", "\"\"\""})
    EXPECT_EQ(relations_in(broken), Names{}) << broken;
}

class Obstacles : public ::testing::Test {
 protected:
  Obstacles() {
    db_.run(
        "DROP ROLE IF EXISTS hindered; CREATE ROLE hindered LOGIN; CREATE TABLE a (id serial);"
        "CREATE TABLE b (id int PRIMARY KEY, secret int); CREATE SCHEMA closed;"
        "CREATE TABLE closed.c (id int); CREATE TABLE p (id int) PARTITION BY RANGE (id);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9)");
  }
  ~Obstacles() override { db_.run("DROP OWNED BY hindered; DROP ROLE hindered"); }

  /// What stands in the way of a statement.
  static std::optional<Obstacle> obstacle(OpenedSession& session, const std::string& sql) {
    return failure([&] { session->query(sql, Access::heap); }).obstacle();
  }

  const Database db_;
};

TEST_F(Obstacles, ALockedTableIsNamed) {
  OpenedSession session(db_);
  Client locker(db_.dsn());
  locker.run("BEGIN; LOCK TABLE b");
  const std::string sql = R"(SELECT count(*) FROM ONLY "public"."a" a, ONLY "public"."b" b)";
  EXPECT_EQ(obstacle(session, sql), (Obstacle{{"public", "b"}}));
  locker.run("ROLLBACK; BEGIN; LOCK TABLE p1");
  EXPECT_EQ(obstacle(session, R"(SELECT count(*) FROM "public"."p")"), (Obstacle{{"public", "p"}}))
      << "the statement names the parent";
}

TEST_F(Obstacles, WhatOurRoleMayNotReadIsNamedWithTheRole) {
  db_.run("GRANT SELECT ON a TO hindered; GRANT SELECT ON closed.c TO hindered");
  OpenedSession session(db_, "hindered");
  EXPECT_EQ(obstacle(session, R"(SELECT count(*) FROM "public"."a" a, "public"."b" b)"),
            (Obstacle{{"public", "b"}, false, "hindered"}));
  EXPECT_EQ(obstacle(session, R"(SELECT last_value FROM "public"."a_id_seq")"),
            (Obstacle{{"public", "a_id_seq"}, true, "hindered"}));
  EXPECT_EQ(obstacle(session, R"(SELECT count(*) FROM "closed"."c")"),
            (Obstacle{{"closed", "c"}, false, "hindered"}))
      << "it may not use the schema";
  db_.run("GRANT SELECT (id) ON b TO hindered");
  EXPECT_EQ(obstacle(session, R"(SELECT max(secret) FROM "public"."b")"),
            (Obstacle{{"public", "b"}, false, "hindered"}));
}

TEST_F(Obstacles, OtherErrorsAndOtherStatementsHaveNone) {
  OpenedSession session(db_);
  EXPECT_EQ(obstacle(session, R"(SELECT 1 FROM "public"."nothing")"), std::nullopt);
  EXPECT_EQ(find_obstacle(*session, Reason::lock, R"(SELECT 1 FROM "public"."a")"), std::nullopt)
      << "the lock was released meanwhile";
}

TEST(NamedObstacle, IsTheRelationOfTheTextThatItNames) {
  EXPECT_EQ(named_obstacle(R"("s"."t" "s"."u")", "s.u"), (Obstacle{{"s", "u"}}));
  EXPECT_EQ(named_obstacle(R"("s"."t" "s"."u")", "s.part"), std::nullopt);
  EXPECT_EQ(named_obstacle(R"("s"."t")", "s.part"), (Obstacle{{"s", "t"}})) << "a part of it";
}

}  // namespace
}  // namespace pg_integrity::test::obstacle_test
