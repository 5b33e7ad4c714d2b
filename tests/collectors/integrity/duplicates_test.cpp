#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "collectors/registry.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"
#include "tests/support/opened_session.h"
#include "tests/support/step_sources.h"

namespace pg_integrity::test::duplicates_test {
namespace {

/// Runs statements while the index neither refuses nor notices rows, like a damaged index.
std::string unseen_by(const std::string& index, const std::string& sql) {
  const std::string which = " WHERE indexrelid = '" + index + "'::regclass;";
  return "UPDATE pg_index SET indisready = false, indisvalid = false" + which + sql +
         ";UPDATE pg_index SET indisready = true, indisvalid = true" + which;
}

Findings look_for_duplicates(const Database& database, const std::string& more = {}) {
  return look(one_server(database.dsn(), more, "duplicates"));
}

LabelSet labels(const std::string& table, const std::string& key) {
  return {{"schema", "public"}, {"table", table}, {"key", key}};
}

std::optional<double> surplus(const Findings& found, const std::string& table,
                              const std::string& key) {
  return found.value("pg_integrity_duplicate_rows", labels(table, key));
}

TEST(Duplicates, FindsNoneInSoundData) {
  const Database db;
  db.run(R"(CREATE TABLE t (id int PRIMARY KEY, email text UNIQUE, a int, b int);
    CREATE UNIQUE INDEX pair ON t (a, b); CREATE INDEX plain ON t (a);
    INSERT INTO t SELECT i, 'mail' || i, i % 10, i / 10 FROM generate_series(1, 100) i;
    INSERT INTO t VALUES (1001, NULL, 1, NULL), (1002, NULL, 1, NULL);)");
  const Findings found = look_for_duplicates(db);
  EXPECT_EQ(found.page.all("pg_integrity_duplicate_rows").size(), 3U);
  for (const char* key : {"t_pkey", "t_email_key", "pair"}) {
    EXPECT_EQ(surplus(found, "t", key), 0) << key;
    EXPECT_EQ(found.state("duplicates/public.t." + std::string(key)), State::proven);
  }
}

TEST(Duplicates, CountsRowsThatTheIndexDoesNotKnow) {
  const Database db;
  db.run(
      "CREATE TABLE t (id int PRIMARY KEY, other int UNIQUE, wide text);"
      "INSERT INTO t SELECT i, i, repeat('x', 500) FROM generate_series(1, 5000) i");
  db.run(unseen_by("t_pkey", "INSERT INTO t VALUES (7, 5001), (7, 5002), (9, 5003)"));
  db.run("VACUUM ANALYZE t");
  ASSERT_EQ(db.ask("SET enable_seqscan = off; SET enable_bitmapscan = off;"
                   "SELECT count(*) FROM t WHERE id = 7"),
            "1")
      << "the index hides them";
  const Findings found = look_for_duplicates(db);
  EXPECT_EQ(surplus(found, "t", "t_pkey"), 3);
  EXPECT_EQ(surplus(found, "t", "t_other_key"), 0);
  EXPECT_EQ(found.violated(), "duplicates/public.t.t_pkey");
}

TEST(Duplicates, KnowsNullsThatAreDistinctFromThoseThatAreNot) {
  const Database db;
  if (db.cluster().major() < 15) GTEST_SKIP() << "NULLS NOT DISTINCT came with version 15";
  db.run(R"(CREATE TABLE t (a int, b int); CREATE UNIQUE INDEX distinct_nulls ON t (a, b);
    CREATE TABLE u (a int, b int); CREATE UNIQUE INDEX equal_nulls ON u (a, b) NULLS NOT DISTINCT;
    INSERT INTO t VALUES (1, NULL), (1, NULL), (NULL, NULL), (NULL, NULL), (1, 1);
    INSERT INTO u VALUES (1, NULL), (NULL, 1), (NULL, NULL), (1, 1);)");
  EXPECT_EQ(look_for_duplicates(db).violated(), "");
  db.run(unseen_by("equal_nulls", "INSERT INTO u VALUES (1, NULL), (NULL, NULL), (NULL, NULL)"));
  db.run(unseen_by("distinct_nulls", "INSERT INTO t VALUES (1, NULL), (1, 1)"));
  const Findings found = look_for_duplicates(db);
  EXPECT_EQ(surplus(found, "u", "equal_nulls"), 3);
  EXPECT_EQ(surplus(found, "t", "distinct_nulls"), 1);
}

TEST(Duplicates, HeedsPredicatesExpressionsAndIncludedColumns) {
  const Database db;
  db.run(R"(CREATE TABLE t (id int, email text, deleted bool, part int);
    CREATE UNIQUE INDEX live ON t (lower(email)) WHERE NOT deleted;
    CREATE UNIQUE INDEX share ON t ((100 / part)) WHERE part > 0;
    CREATE UNIQUE INDEX covering ON t (id) INCLUDE (email);
    INSERT INTO t VALUES (1, 'a', false, 1), (2, 'A', true, 0), (3, 'A', true, 0),
      (4, 'b', false, 2);)");
  Findings found = look_for_duplicates(db);
  EXPECT_EQ(found.violated(), "");
  EXPECT_EQ(found.page.all("pg_integrity_duplicate_rows").size(), 3U);
  db.run(unseen_by("live", "INSERT INTO t VALUES (5, 'B', false, 0)"));
  db.run(unseen_by("share", "INSERT INTO t VALUES (6, 'c', false, 2), (7, 'd', false, 1)"));
  db.run(unseen_by("covering", "INSERT INTO t VALUES (7, 'other', true, 0)"));
  found = look_for_duplicates(db);
  EXPECT_EQ(surplus(found, "t", "live"), 1);
  EXPECT_EQ(surplus(found, "t", "share"), 2);
  EXPECT_EQ(surplus(found, "t", "covering"), 1);
}

TEST(Duplicates, ComparesAsTheIndexDoes) {
  const Database db;
  db.run(R"(CREATE EXTENSION citext; CREATE DOMAIN code AS varchar(8);
    CREATE TYPE colour AS ENUM ('red', 'green');
    CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE t (c citext UNIQUE, d code UNIQUE, e colour UNIQUE, l int[] UNIQUE,
      n numeric UNIQUE, r int4range UNIQUE, f bpchar(5) UNIQUE, u uuid UNIQUE, b text UNIQUE,
      k text COLLATE blind UNIQUE, v varbit(8) UNIQUE, x name UNIQUE, y "char" UNIQUE);
    CREATE UNIQUE INDEX pattern ON t (b text_pattern_ops);
    INSERT INTO t VALUES ('ABC', 'x', 'red', '{1}', 1.0, '[1,3)', 'a',
      '00000000-0000-0000-0000-000000000001', 'b', 'ABC', B'101', 'n', 'y');)");
  EXPECT_EQ(look_for_duplicates(db).violated(), "");
  db.run(
      R"(UPDATE pg_index SET indisready = false, indisvalid = false WHERE indrelid = 't'::regclass;
    INSERT INTO t VALUES ('abc', 'x', 'red', '{1}', 1, '[1,2]', 'a ',
      '00000000-0000-0000-0000-000000000001', 'b', 'abc', B'101', 'n', 'y');
    INSERT INTO t VALUES ('abd', 'X', 'green', '{2}', 2, '[1,3]', 'b',
      '00000000-0000-0000-0000-000000000002', 'B', 'ABD', B'1010', 'N', 'Y');
    UPDATE pg_index SET indisready = true, indisvalid = true WHERE indrelid = 't'::regclass;)");
  const Findings found = look_for_duplicates(db);
  EXPECT_EQ(found.page.all("pg_integrity_duplicate_rows").size(), 14U);
  for (const Series& series : found.page.all("pg_integrity_duplicate_rows"))
    EXPECT_EQ(series.value, 1) << series.labels.at("key");
}

TEST(Duplicates, AnOperatorClassDecidesWhatIsEqual) {
  const Database db;
  db.run(
      R"(CREATE FUNCTION size_lt(int, int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT abs($1) < abs($2)';
    CREATE FUNCTION size_eq(int, int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT abs($1) = abs($2)';
    CREATE FUNCTION size_cmp(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT btint4cmp(abs($1), abs($2))';
    CREATE OPERATOR <<< (LEFTARG = int, RIGHTARG = int, FUNCTION = size_lt);
    CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = size_eq);
    CREATE OPERATOR CLASS by_size FOR TYPE int USING btree AS
      OPERATOR 1 <<<, OPERATOR 3 ===, FUNCTION 1 size_cmp(int, int);
    CREATE TABLE t (i int); CREATE UNIQUE INDEX sizes ON t (i by_size); CREATE UNIQUE INDEX plain ON t (i);
    INSERT INTO t VALUES (1), (-2), (3);)");
  db.run(unseen_by("sizes", "INSERT INTO t VALUES (-1), (2)"));
  const Findings found = look_for_duplicates(db);
  EXPECT_EQ(surplus(found, "t", "sizes"), 2);
  EXPECT_EQ(surplus(found, "t", "plain"), 0);
  db.run("DROP ROLE IF EXISTS giver; CREATE ROLE giver; ALTER FUNCTION size_cmp OWNER TO giver");
  EXPECT_EQ(look_for_duplicates(db).reason("duplicates/public.t.sizes"), Reason::unsafe);
  db.run(
      "DROP OPERATOR CLASS by_size USING btree CASCADE; DROP FUNCTION size_cmp; DROP ROLE giver");
}

TEST(Duplicates, APartitionedKeyIsOneKey) {
  const Database db;
  db.run(R"(CREATE TABLE p (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
    CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (100);
    CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (100) TO (200);
    CREATE UNIQUE INDEX own ON p_2 (n); INSERT INTO p VALUES (1, 1), (101, 1);
    CREATE TABLE base (id int PRIMARY KEY); CREATE TABLE heir () INHERITS (base);
    INSERT INTO base VALUES (1); INSERT INTO heir VALUES (1);)");
  Findings found = look_for_duplicates(db);
  EXPECT_EQ(found.page.all("pg_integrity_duplicate_rows").size(), 3U);
  EXPECT_EQ(found.violated(), "");
  db.run(unseen_by("p_1_pkey", "INSERT INTO p VALUES (1, 2)"));
  db.run(unseen_by("own", "INSERT INTO p VALUES (102, 1)"));
  found = look_for_duplicates(db);
  EXPECT_EQ(surplus(found, "p", "p_pkey"), 1);
  EXPECT_EQ(surplus(found, "p_2", "own"), 1);
  EXPECT_EQ(surplus(found, "base", "base_pkey"), 0);
}

TEST(Duplicates, AnInvalidIndexPromisesNothing) {
  const Database db;
  db.run(
      R"(CREATE TABLE t (i int); INSERT INTO t VALUES (1), (1); CREATE UNIQUE INDEX failed ON t (i)
    WHERE i > 5; UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'failed'::regclass)");
  EXPECT_FALSE(look_for_duplicates(db).has_object("duplicates/public.t.failed"));
}

/// A table's owner who may not read the secret, and a monitor who may.
class PlantedCode : public testing::Test {
 protected:
  PlantedCode() {
    db.run(
        R"(CREATE ROLE mallory; CREATE ROLE watcher LOGIN; GRANT pg_read_all_data TO watcher;
      CREATE TABLE secret (bit bool); INSERT INTO secret VALUES (true);
      CREATE SCHEMA den AUTHORIZATION mallory; SET ROLE mallory;
      CREATE TABLE den.bait (id int, s text); INSERT INTO den.bait VALUES (1, 'a'), (2, 'b');
      CREATE FUNCTION den.peek(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
        RETURN CASE WHEN (SELECT bit FROM public.secret) THEN 0 ELSE $1 END;
        EXCEPTION WHEN insufficient_privilege THEN RETURN $1; END $$;)");
  }
  ~PlantedCode() override {
    db.run("DROP OWNED BY mallory, watcher CASCADE; DROP ROLE mallory, watcher");
  }

  [[nodiscard]] Findings watched(const std::string& more = {}) const {
    return look(one_server(db.dsn("watcher"), more, "duplicates"));
  }

  void expect_refused() {
    const Findings found = watched();
    EXPECT_EQ(found.reason("duplicates/den.bait.trap"), Reason::unsafe);
    EXPECT_TRUE(found.page.all("pg_integrity_duplicate_rows").empty()) << "the secret is out";
  }

  Database db;
};

TEST_F(PlantedCode, InAnExpressionIsNotRun) {
  db.run("SET ROLE mallory; CREATE UNIQUE INDEX trap ON den.bait (den.peek(id))");
  expect_refused();
  // The same function is trusted once it belongs to a superuser, and its answer counts.
  db.run("ALTER FUNCTION den.peek OWNER TO postgres");
  EXPECT_EQ(watched().value("pg_integrity_duplicate_rows", {{"key", "trap"}}), 1);
}

TEST_F(PlantedCode, InAPredicateIsNotRun) {
  db.run(
      "SET ROLE mallory; CREATE UNIQUE INDEX trap ON den.bait ((id * 0)) WHERE den.peek(id) = 1");
  expect_refused();
}

TEST_F(PlantedCode, BehindAnOperatorIsNotRun) {
  db.run(R"(SET ROLE mallory; CREATE OPERATOR den.@@@ (RIGHTARG = int, FUNCTION = den.peek);
    CREATE UNIQUE INDEX trap ON den.bait ((OPERATOR(den.@@@) id)))");
  expect_refused();
}

TEST_F(PlantedCode, BehindACastIsNotRun) {
  db.run(R"(SET ROLE mallory; CREATE DOMAIN den.checked AS int CHECK (den.peek(VALUE) >= 0);
    CREATE UNIQUE INDEX trap ON den.bait ((id::den.checked)))");
  expect_refused();
}

TEST_F(PlantedCode, InAnExtensionOfItsOwnerIsNotRun) {
  db.run("GRANT CREATE ON DATABASE \"" + db.name() +
         R"(" TO mallory; SET ROLE mallory; CREATE EXTENSION citext SCHEMA den;
    ALTER EXTENSION citext ADD FUNCTION den.peek(int);
    CREATE UNIQUE INDEX trap ON den.bait (den.peek(id)))");
  expect_refused();
  db.run("ALTER EXTENSION citext DROP FUNCTION den.peek(int)");
}

TEST_F(PlantedCode, IsNotRunByALookAtASoundIndexBesideIt) {
  db.run(
      "SET ROLE mallory; CREATE UNIQUE INDEX trap ON den.bait ((id + den.peek(1)));"
      "CREATE UNIQUE INDEX sound ON den.bait (lower(s)) WHERE id > 0;"
      "CREATE TABLE den.other (id int UNIQUE)");
  const Findings found = watched();
  EXPECT_EQ(found.reason("duplicates/den.bait.sound"), Reason::unsafe)
      << "the planner computes what is constant in any index of the table";
  EXPECT_EQ(found.value("pg_integrity_duplicate_rows", {{"key", "other_id_key"}}), 0);
}

std::string key(const std::string& name, const std::string& table, const std::string& columns) {
  return "[[server.collectors.duplicates.keys]]\nname = \"" + name + "\"\ntable = \"" + table +
         "\"\ncolumns = [" + columns + "]\n";
}

TEST(Duplicates, CountsDeclaredKeys) {
  const Database db;
  db.run(R"sql(CREATE TABLE users (email varchar(50), tenant int, "lower(email)" int);
    INSERT INTO users VALUES ('a@x', 1, 1), ('A@x', 2, 1), (' a@X ', 1, 2), (NULL, 1, 3),
      (NULL, 1, 4);)sql");
  const Findings found = look_for_duplicates(
      db, key("as written", "users", "'email'") + key("case", "users", "'lower(btrim(email))'") +
              key("space", "users", "'btrim(email)'") +
              key("tenant", "users", "'lower(btrim(email))', 'tenant'") +
              key("own name", "users", "'lower(email)'"));
  EXPECT_EQ(surplus(found, "users", "as written"), 0);
  EXPECT_EQ(surplus(found, "users", "space"), 0);
  EXPECT_EQ(surplus(found, "users", "case"), 2);
  EXPECT_EQ(surplus(found, "users", "tenant"), 1);
  EXPECT_EQ(surplus(found, "users", "own name"), 1) << "a column's own name goes before a function";
}

TEST_F(PlantedCode, InADomainOfAnotherColumnHarmsNoDeclaredKey) {
  db.run(R"(SET ROLE mallory; CREATE DOMAIN den.checked AS int CHECK (den.peek(VALUE) >= 0);
    RESET ROLE; CREATE TABLE users (email text, age den.checked);
    INSERT INTO users (email) VALUES ('a@x'), ('A@x'))");
  EXPECT_EQ(surplus(watched(key("case", "users", "'lower(email)'")), "users", "case"), 1);
}

TEST(Duplicates, ADeclaredKeyThatFitsNothingIsUnproven) {
  const Database db;
  db.run("CREATE TABLE t (a int, b text)");
  const Findings found = look_for_duplicates(
      db, key("a", "nowhere", "'x'") + key("b", "t", "'x'") + key("c", "t", "'upper(b)'") +
              key("d", "t", "'lower(a)'") + key("e", "t", "'b) FROM secret; --'"));
  EXPECT_EQ(found.reason("duplicates/public.nowhere.a"), Reason::missing);
  EXPECT_EQ(found.reason("duplicates/public.t.b"), Reason::missing);
  EXPECT_EQ(found.reason("duplicates/public.t.c"), Reason::missing);
  EXPECT_EQ(found.reason("duplicates/public.t.d"), Reason::config);
  EXPECT_EQ(found.reason("duplicates/public.t.e"), Reason::missing);
}

TEST(Duplicates, WhatMayNotBeReadOrIsTooLargeIsUnprovenNeverZero) {
  const Database db;
  db.run(
      "CREATE TABLE t (i int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 5000);"
      "CREATE TABLE small (i int PRIMARY KEY);"
      "DROP ROLE IF EXISTS blind_two; CREATE ROLE blind_two LOGIN; GRANT SELECT ON small TO "
      "blind_two");
  const Findings blind = look(one_server(db.dsn("blind_two"), {}, "duplicates"));
  EXPECT_EQ(blind.reason("duplicates/public.t.t_pkey"), Reason::permission);
  EXPECT_EQ(surplus(blind, "small", "small_pkey"), 0);
  const Findings large =
      look_for_duplicates(db, "[server.collectors.duplicates]\nexact_up_to = \"8kB\"\n");
  EXPECT_EQ(large.reason("duplicates/public.t.t_pkey"), Reason::too_large);
  EXPECT_EQ(surplus(large, "small", "small_pkey"), 0);
  EXPECT_EQ(large.page.all("pg_integrity_duplicate_rows").size(), 1U);
}

TEST(Duplicates, ALockedTableIsUnprovenAndTheOthersAreNot) {
  const Database db;
  db.run("CREATE TABLE t (i int PRIMARY KEY); CREATE TABLE other (i int PRIMARY KEY); ANALYZE");
  Client locker(db.dsn());
  locker.run("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
  const Findings found = look_for_duplicates(db);
  EXPECT_EQ(found.reason("duplicates/public.t.t_pkey"), Reason::lock);
  EXPECT_EQ(found.state("duplicates/public.other.other_pkey"), State::proven);
}

TEST(Duplicates, ReadsHostileNamesAndLeavesOutWhatIsExcluded) {
  const Database db;
  db.run(R"(CREATE SCHEMA "x"".y"; CREATE TABLE "x"".y"."a""b\c
{d}=é🐘,'e" ("a""b'c" text, CONSTRAINT "a""b\c
{d}=é🐘,'e_key" UNIQUE ("a""b'c")); CREATE UNIQUE INDEX "e""x" ON "x"".y"."a""b\c
{d}=é🐘,'e" (lower("a""b'c")) WHERE "a""b'c" <> 'it''s';
    CREATE TABLE left_out (i int PRIMARY KEY);)");
  const Findings found = look_for_duplicates(db, "exclude = [\"public.left*\"]");
  EXPECT_EQ(found.page.all("pg_integrity_duplicate_rows").size(), 2U);
  EXPECT_EQ(found.value("pg_integrity_duplicate_rows", {{"key", "a\"b\\c\n{d}=é🐘,'e_key"}}), 0);
  EXPECT_EQ(found.value("pg_integrity_duplicate_rows", {{"key", "e\"x"}}), 0);
}

TEST(Duplicates, APassAsksOneStatementAnIndexInHoweverManySteps) {
  const Database db;
  db.run(R"(DO $$ BEGIN FOR i IN 1..40 LOOP EXECUTE format(
    'CREATE TABLE t%s (id int PRIMARY KEY); INSERT INTO t%1$s VALUES (1)', i); END LOOP; END $$;
    CREATE TABLE parted (id int) PARTITION BY RANGE (id);
    CREATE TABLE part PARTITION OF parted (PRIMARY KEY (id)) FOR VALUES FROM (0) TO (9);
    INSERT INTO parted VALUES (1); ANALYZE)");
  const auto collector =
      collector_from(one_server(db.dsn(), key("declared", "t1", "'id'"), "duplicates"));
  OpenedSession session(db);
  StepSources from(*session);
  for (int i = 0; i < 2; ++i) {
    session->statements.clear();
    EXPECT_EQ(pass(*collector, from), 42) << "so many keys, one a step";
    EXPECT_EQ(session->statements.size(), 42 + 3U)
        << "and which indexes there are, how int4 is compared, and how the declared key is";
  }
  db.run("DROP TABLE t40");
  session->statements.clear();
  StepSources later(*session);
  EXPECT_EQ(pass(*collector, later), 41) << "each pass looks anew";
}

TEST(Duplicates, IndexesOfTheSameTypesAreReadByTheirOwnColumns) {
  const Database db;
  db.run(R"(CREATE TABLE t ("a,b" int, "x""y," int, c int, d text);
    CREATE UNIQUE INDEX one ON t ("x""y,", "a,b"); CREATE UNIQUE INDEX two ON t (c, "a,b");
    CREATE UNIQUE INDEX three ON t (d, c); CREATE UNIQUE INDEX four ON t (c, d) INCLUDE ("a,b");
    INSERT INTO t VALUES (1, 1, 1, 'd'), (1, 2, 2, 'd'), (2, 1, 3, 'd'))");
  EXPECT_EQ(look_for_duplicates(db).violated(), "");
  db.run(unseen_by(
      "one",
      unseen_by("two",
                unseen_by("three", unseen_by("four", "INSERT INTO t VALUES (1, 2, 2, 'e')")))));
  const Findings found = look_for_duplicates(db);
  EXPECT_EQ(surplus(found, "t", "one"), 1);
  EXPECT_EQ(surplus(found, "t", "two"), 1);
  EXPECT_EQ(surplus(found, "t", "three"), 0);
  EXPECT_EQ(surplus(found, "t", "four"), 0);
}

TEST(Duplicates, AnIndexThatTookTheNameOfAnotherIsNotJudgedByItsColumns) {
  const Database db;
  db.run(
      "CREATE TABLE t (a int, b int); CREATE UNIQUE INDEX k ON t (a);"
      " INSERT INTO t VALUES (1, 1), (2, 2)");
  const auto collector = collector_from(one_server(db.dsn(), {}, "duplicates"));
  OpenedSession session(db);
  StepSources from(*session);
  session->before_each = [&] {
    if (session->statements.back().find("surplus") == std::string::npos) return;
    session->before_each = nullptr;
    db.run("DROP INDEX k; CREATE UNIQUE INDEX k ON t (b); INSERT INTO t VALUES (1, 3), (2, 4)");
  };
  Batch out(Instant{});
  EXPECT_EQ(collector->collect(from, out), Progress::done);
  ASSERT_EQ(out.samples().size(), 1U);
  EXPECT_EQ(out.samples().front().value, 0);
}

TEST(Duplicates, ADatabaseWithoutKeysIsNotApplicable) {
  const Database db;
  db.run("CREATE TABLE lonely (id int)");
  EXPECT_FALSE(look_for_duplicates(db).collector("duplicates").applicable);
}

}  // namespace
}  // namespace pg_integrity::test::duplicates_test
