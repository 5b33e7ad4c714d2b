// The planner computes IMMUTABLE functions with constant arguments when it plans a statement about
// a table, wherever its owner has put them. None of them may run in our session.
#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::foreign_code_test {
namespace {

/// A role whose functions fail when any other role calls them.
class ForeignCode : public ::testing::Test {
 protected:
  ForeignCode() {
    db_.run(
        R"(DROP ROLE IF EXISTS planter; CREATE ROLE planter; GRANT CREATE ON SCHEMA public TO planter)");
    as_planter(R"(
      CREATE FUNCTION evil(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN IF current_user <> 'planter' THEN RAISE EXCEPTION 'called'; END IF; RETURN $1; END $$;
      CREATE FUNCTION evil(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN IF current_user <> 'planter' THEN RAISE EXCEPTION 'called'; END IF; RETURN $1; END $$;
      CREATE FUNCTION wrapped(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + public.evil(1)';
      CREATE OPERATOR @@@ (LEFTARG = int, RIGHTARG = int, FUNCTION = evil))");
  }
  ~ForeignCode() override { db_.run("DROP OWNED BY planter CASCADE; DROP ROLE planter"); }

  void as_planter(const std::string& sql) const { db_.run("SET ROLE planter; " + sql); }

  void expect_unsafe(const std::string& table) const {
    const Findings found = look(one_server(db_.dsn(), "", "row_counts"));
    EXPECT_EQ(found.reason("row_counts/public." + table), Reason::unsafe)
        << found.object("row_counts/public." + table).findings.size();
    EXPECT_FALSE(found.value("pg_integrity_table_rows", {{"table", table}}));
  }

  const Database db_;
};

TEST_F(ForeignCode, OfIndexesIsNotRun) {
  as_planter(R"(
    CREATE TABLE expression (id int); CREATE INDEX ON expression ((id + evil(1)));
    CREATE TABLE predicate (id int); CREATE INDEX ON predicate (id) WHERE id > evil(1);
    CREATE TABLE inlined (id int); CREATE INDEX ON inlined ((wrapped(id)));
    CREATE TABLE operator (id int); CREATE INDEX ON operator ((id + (1 @@@ 1)));
    CREATE TABLE sound (id int); CREATE INDEX ON sound ((abs(id))) WHERE id > abs(1))");
  for (const char* table : {"expression", "predicate", "inlined", "operator"}) expect_unsafe(table);
  EXPECT_EQ(look(one_server(db_.dsn(), "", "row_counts"))
                .value("pg_integrity_table_rows", {{"table", "sound"}}),
            0);
}

TEST_F(ForeignCode, OfStatisticsIsNotRun) {
  if (db_.cluster().major() < 14) GTEST_SKIP() << "statistics of expressions came with version 14";
  as_planter("CREATE TABLE t (id int); CREATE STATISTICS s ON (id + evil(1)), id FROM t");
  expect_unsafe("t");
}

TEST_F(ForeignCode, OfPartitionsIsNotRun) {
  as_planter(R"(
    CREATE TABLE by_column (id int) PARTITION BY RANGE (id);
    CREATE TABLE middle PARTITION OF by_column FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
    CREATE TABLE leaf PARTITION OF middle FOR VALUES FROM (0) TO (5);
    CREATE INDEX ON leaf ((id + evil(1)));
    CREATE TABLE by_expression (id int) PARTITION BY RANGE ((id + evil(1))))");
  for (const char* table : {"by_column", "by_expression"}) expect_unsafe(table);
}

TEST_F(ForeignCode, OfAPartitionsCheckIsNotRun) {
  as_planter(R"(
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int CONSTRAINT key REFERENCES parent) PARTITION BY RANGE (id);
    CREATE TABLE leaf PARTITION OF child FOR VALUES FROM (0) TO (5);
    ALTER TABLE leaf ADD CHECK (id > evil(1)))");
  const Findings found = look(one_server(db_.dsn(), "", "orphans"));
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", {{"constraint", "key"}}), 0);
}

TEST_F(ForeignCode, OnEitherSideOfAReferenceIsNotRun) {
  as_planter(R"(
    CREATE TABLE parent (id int PRIMARY KEY); CREATE INDEX ON parent ((id + evil(1)));
    CREATE TABLE child (id int CONSTRAINT key REFERENCES parent))");
  const Findings found = look(one_server(
      db_.dsn(),
      "[[server.collectors.orphans.references]]\nname = \"declared\"\ntable = \"child\"\n"
      "columns = [\"id\"]\nreferenced_table = \"parent\"\nreferenced_columns = [\"id\"]\n",
      "orphans"));
  EXPECT_EQ(found.reason("orphans/public.child.key"), Reason::unsafe);
  EXPECT_EQ(found.reason("orphans/public.child.declared"), Reason::unsafe);
}

TEST_F(ForeignCode, OfTablesThatInheritIsNotRun) {
  as_planter(R"(CREATE TABLE root (id int PRIMARY KEY); CREATE TABLE middle () INHERITS (root);
    CREATE TABLE leaf () INHERITS (middle); CREATE INDEX ON leaf ((id + evil(1))))");
  expect_unsafe("root");
  const Findings alone = look(one_server(db_.dsn(), "", "duplicates"));
  EXPECT_EQ(alone.state("duplicates/public.root.root_pkey"), State::proven)
      << "reading the root alone plans nothing of its heirs";
}

TEST_F(ForeignCode, OfAnHeirsCheckIsNotRun) {
  as_planter(R"(CREATE TABLE root (id int, at timestamptz); CREATE TABLE leaf (CHECK (id < evil(9)))
      INHERITS (root);
    INSERT INTO leaf VALUES (1, now()))");
  db_.run("CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1)");
  const Findings found = look(one_server(
      db_.dsn(),
      "[[server.collectors.orphans.references]]\nname = \"declared\"\ntable = \"root\"\n"
      "columns = [\"id\"]\nreferenced_table = \"parent\"\nreferenced_columns = [\"id\"]\n"
      "where = \"id < 5\"\n",
      "orphans"));
  EXPECT_EQ(found.state("orphans/public.root.declared"), State::proven);
}

TEST_F(ForeignCode, ThatOnlyRowsCanCallKeepsNoTableFromBeingRead) {
  as_planter(R"(
    CREATE FUNCTION plain(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
      BEGIN PERFORM public.evil(1); RETURN $1; END $$;
    CREATE FUNCTION fenced(int) RETURNS int LANGUAGE sql IMMUTABLE SET search_path = public AS
      'SELECT $1 + public.evil(1)';
    CREATE TABLE expression (id int, name varchar(9));
    INSERT INTO expression VALUES (1, 'a'), (2, 'b');
    CREATE INDEX ON expression ((evil(id) + evil(id, 1)), plain(name));
    CREATE TABLE predicate (id int); INSERT INTO predicate VALUES (1);
    CREATE INDEX ON predicate (id) WHERE evil(id) > 0 AND fenced(id) > 0;
    CREATE TABLE by_expression (id int) PARTITION BY RANGE ((evil(id)));
    CREATE TABLE leaf PARTITION OF by_expression FOR VALUES FROM (0) TO (5);
    INSERT INTO by_expression VALUES (1))");
  const Findings found = look(one_server(db_.dsn(), "", "row_counts"));
  EXPECT_EQ(found.value("pg_integrity_table_rows", {{"table", "expression"}}), 2);
  EXPECT_EQ(found.value("pg_integrity_table_rows", {{"table", "predicate"}}), 1);
  EXPECT_EQ(found.value("pg_integrity_table_rows", {{"table", "by_expression"}}), 1);
}

TEST_F(ForeignCode, OfStatisticsThatOnlyRowsCanCallKeepsNoTableFromBeingRead) {
  if (db_.cluster().major() < 14) GTEST_SKIP() << "statistics of expressions came with version 14";
  as_planter("CREATE TABLE t (id int); CREATE STATISTICS s ON (evil(id)), id FROM t");
  EXPECT_EQ(look(one_server(db_.dsn(), "", "row_counts"))
                .value("pg_integrity_table_rows", {{"table", "t"}}),
            0);
}

TEST_F(ForeignCode, ThatOnlyLooksLikeACallOfARowIsNotRun) {
  as_planter(R"(
    CREATE FUNCTION by_default(int, int DEFAULT public.evil(1)) RETURNS int LANGUAGE plpgsql
      IMMUTABLE AS 'BEGIN RETURN $1; END';
    CREATE TABLE nested (id int); CREATE INDEX ON nested ((evil(id, evil(1))));
    CREATE TABLE twice (id int); CREATE INDEX ON twice ((evil(id))) WHERE id > evil(1);
    CREATE TABLE defaulted (id int); CREATE INDEX ON defaulted ((by_default(id)));
    CREATE TABLE second (id int); CREATE INDEX ON second ((evil(1, id))))");
  for (const char* table : {"nested", "twice", "defaulted", "second"}) expect_unsafe(table);
}

TEST_F(ForeignCode, IsOursOnceASuperuserHasTakenItOver) {
  as_planter("CREATE TABLE t (id int); CREATE INDEX ON t (evil(evil(id)))");
  expect_unsafe("t");
  db_.run("ALTER FUNCTION evil(int) OWNER TO postgres");
  EXPECT_EQ(look(one_server(db_.dsn(), "", "row_counts"))
                .value("pg_integrity_table_rows", {{"table", "t"}}),
            0);
}

}  // namespace
}  // namespace pg_integrity::test::foreign_code_test
