#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::constraints_test {
namespace {

Findings look_at_constraints(const Database& database, const std::string& more = {},
                             const std::string& user = "postgres") {
  return look(one_server(database.dsn(user), more, "constraints"));
}

/// Runs statements while no exclusion index of the table refuses or notices rows.
std::string unseen_by_exclusion(const std::string& table, const std::string& sql) {
  const std::string which =
      " WHERE indrelid = '" + table + "'::regclass AND (indisexclusion OR indisunique);";
  return "UPDATE pg_index SET indisready = false" + which + sql +
         ";UPDATE pg_index SET indisready = true" + which;
}

std::optional<double> conflicting(const Findings& found, const std::string& table,
                                  const std::string& constraint) {
  return found.value("pg_integrity_conflicting_rows",
                     {{"schema", "public"}, {"table", table}, {"constraint", constraint}});
}

std::optional<double> broken(const Findings& found, const std::string& table,
                             const std::string& constraint) {
  return found.value("pg_integrity_constraint_broken_rows",
                     {{"schema", "public"}, {"table", table}, {"constraint", constraint}});
}

TEST(Constraints, OverlappingBookingsAreFoundUnderAValidConstraint) {
  const Database db;
  db.run(R"(CREATE EXTENSION btree_gist;
    CREATE TABLE bookings (id int PRIMARY KEY, room int, during tsrange,
      CONSTRAINT no_overlap EXCLUDE USING gist (room WITH =, during WITH &&));
    INSERT INTO bookings SELECT i, i % 10,
      tsrange('2026-01-01'::timestamp + i * interval '1 day', '2026-01-02'::timestamp + i * interval '1 day')
      FROM generate_series(1, 1000) i;
    INSERT INTO bookings VALUES (2000, 1, 'empty'), (2001, 1, 'empty'), (2002, NULL, '[,]'), (2003, 1, NULL);)");
  EXPECT_EQ(conflicting(look_at_constraints(db), "bookings", "no_overlap"), 0);
  EXPECT_EQ(look_at_constraints(db).state("constraints/public.bookings.no_overlap"), State::proven);
  db.run(unseen_by_exclusion(
      "bookings", "INSERT INTO bookings VALUES (3000, 1, '[2026-01-02 06:00, 2026-01-03)')"));
  const Findings found = look_at_constraints(db);
  EXPECT_EQ(conflicting(found, "bookings", "no_overlap"), 1);
  EXPECT_EQ(found.violated(), "constraints/public.bookings.no_overlap");
}

/// Every pair of bounds, as two rows of one key each. The pairs that the operator `&&` calls
/// overlapping are in one table, all others in another.
TEST(Constraints, TwoRangesConflictAsTheOperatorSays) {
  const Database db;
  db.run(R"(CREATE EXTENSION btree_gist;
    CREATE TABLE bound (r numrange); INSERT INTO bound VALUES ('[1,2]'), ('[2,3]'), ('(2,3]'), ('[1,2)'),
      ('(1,2)'), ('[2,2]'), ('empty'), ('(,2]'), ('(,2)'), ('[2,)'), ('(2,)'), ('(,)'), ('[1,9]'), ('[4,5)');
    CREATE TABLE pair AS SELECT row_number() OVER () AS id, a.r AS a, b.r AS b FROM bound a, bound b;
    CREATE TABLE apart (id int, r numrange, CONSTRAINT never EXCLUDE USING gist (id WITH =, r WITH &&));
    CREATE TABLE over_it (id int, r numrange, CONSTRAINT always EXCLUDE USING gist (id WITH =, r WITH &&));
    INSERT INTO apart SELECT id, unnest(ARRAY[a, b]) FROM pair WHERE NOT a && b;)");
  db.run(unseen_by_exclusion(
      "over_it", "INSERT INTO over_it SELECT id, unnest(ARRAY[a, b]) FROM pair WHERE a && b"));
  const Findings found = look_at_constraints(db);
  EXPECT_EQ(conflicting(found, "apart", "never"), 0);
  EXPECT_EQ(conflicting(found, "over_it", "always"),
            std::stod(db.ask("SELECT count(*) FROM pair WHERE a && b")));
}

TEST(Constraints, ManyRowsConflictAsManyTimes) {
  const Database db;
  db.run(R"(CREATE TABLE t (r int4range, CONSTRAINT r EXCLUDE USING gist (r WITH &&));)");
  db.run(unseen_by_exclusion("t", R"(INSERT INTO t VALUES ('[1,100)'), ('[2,3)'), ('[4,5)'),
    ('[100,101)'), ('[200,201)'), ('[200,201)'))"));
  EXPECT_EQ(conflicting(look_at_constraints(db), "t", "r"), 3) << "2, 4 and the second 200";
}

TEST(Constraints, OtherOperatorsTypesExpressionsAndPredicates) {
  const Database db;
  db.run(R"(CREATE EXTENSION btree_gist; CREATE DOMAIN span AS tstzrange;
    CREATE TYPE words AS RANGE (subtype = text, collation = "C");
    CREATE TABLE zoo (cage int, animal text, CONSTRAINT one_kind EXCLUDE USING gist (cage WITH =, animal WITH <>));
    INSERT INTO zoo VALUES (1, 'zebra'), (1, 'zebra'), (2, 'lion');
    CREATE TABLE nets (net inet, CONSTRAINT net EXCLUDE USING gist (net inet_ops WITH &&));
    INSERT INTO nets VALUES ('10.0.0.0/8'), ('11.0.0.0/8'), ('::/1'), ('9.255.255.255');
    CREATE TABLE plain (a int, b text, CONSTRAINT same EXCLUDE USING btree (a WITH =, b WITH =));
    INSERT INTO plain VALUES (1, 'a'), (1, 'b'), (NULL, 'a'), (NULL, 'a');
    CREATE TABLE shifts (who text, starts timestamptz, ends timestamptz, gone bool,
      CONSTRAINT shift EXCLUDE USING gist (lower(who) WITH =, tstzrange(starts, ends) WITH &&) WHERE (NOT gone));
    INSERT INTO shifts VALUES ('a', '2026-01-01', '2026-01-03', false), ('A', '2026-01-02', NULL, true),
      ('b', '2026-01-02', NULL, false);
    CREATE TABLE spans (s span, CONSTRAINT s EXCLUDE USING gist (s WITH &&));
    INSERT INTO spans VALUES ('[2026-01-01,2026-01-02)');
    CREATE TABLE texts (w words, CONSTRAINT w EXCLUDE USING gist (w WITH &&));
    INSERT INTO texts VALUES ('[a,b)'), ('[b,c)');
    CREATE TABLE boxes (b box, CONSTRAINT b EXCLUDE USING gist (b WITH &&));
    INSERT INTO boxes VALUES ('(0,0),(1,1)');)");
  Findings found = look_at_constraints(db);
  EXPECT_EQ(found.violated(), "");
  EXPECT_EQ(found.page.all("pg_integrity_conflicting_rows").size(), 6U);
  EXPECT_EQ(found.state("constraints/public.boxes.b"), State::observed) << "listed as not watched";
  EXPECT_NE(found.object("constraints/public.boxes.b").lines.at(0).find("not watched"),
            std::string::npos);
  EXPECT_EQ(found.value("pg_integrity_constraint_compared", {{"table", "boxes"}}), 0);
  db.run(unseen_by_exclusion("zoo", "INSERT INTO zoo VALUES (1, 'lion'), (2, 'lion')"));
  db.run(unseen_by_exclusion("nets",
                             "INSERT INTO nets VALUES ('10.1.2.3/24'), ('12.0.0.1'), ('::1')"));
  db.run(unseen_by_exclusion("plain", "INSERT INTO plain VALUES (1, 'a'), (2, 'a')"));
  db.run(
      unseen_by_exclusion("shifts", "INSERT INTO shifts VALUES ('B', '2026-02-01', NULL, false)"));
  db.run(unseen_by_exclusion("spans", "INSERT INTO spans VALUES ('[2026-01-01 12:00,)')"));
  db.run(unseen_by_exclusion("texts", "INSERT INTO texts VALUES ('[az,az]')"));
  found = look_at_constraints(db);
  EXPECT_EQ(conflicting(found, "zoo", "one_kind"), 1);
  EXPECT_EQ(conflicting(found, "nets", "net"), 2) << "10.1.2.3 and ::1";
  EXPECT_EQ(conflicting(found, "plain", "same"), 1);
  EXPECT_EQ(conflicting(found, "shifts", "shift"), 1);
  EXPECT_EQ(conflicting(found, "spans", "s"), 1);
  EXPECT_EQ(conflicting(found, "texts", "w"), 1);
}

TEST(Constraints, MultirangesAndPartitionedTables) {
  const Database db;
  if (db.cluster().major() < 14) GTEST_SKIP() << "multiranges came with version 14";
  db.run(R"(CREATE TABLE m (r int4multirange, CONSTRAINT r EXCLUDE USING gist (r WITH &&));
    INSERT INTO m VALUES ('{[1,2),[5,6)}'), ('{[2,3),[8,9)}'), ('{}'), ('{}');
    CREATE TABLE p (k int, r int4range) PARTITION BY LIST (k);
    CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1);
    ALTER TABLE p_1 ADD CONSTRAINT own EXCLUDE USING gist (r WITH &&); INSERT INTO p VALUES (1, '[1,2)');)");
  EXPECT_EQ(look_at_constraints(db).violated(), "");
  db.run(unseen_by_exclusion("m", "INSERT INTO m VALUES ('{[5,6),[8,9)}')"));
  db.run(unseen_by_exclusion("p_1", "INSERT INTO p VALUES (1, '[1,5)')"));
  const Findings found = look_at_constraints(db);
  EXPECT_GE(conflicting(found, "m", "r").value(), 1) << "rows, not parts of rows";
  EXPECT_LE(conflicting(found, "m", "r").value(), 2);
  EXPECT_EQ(conflicting(found, "p_1", "own"), 1);
}

TEST(Constraints, RowsThatBreakANotValidCheckAreCounted) {
  const Database db;
  db.run(R"(CREATE TABLE t (id int PRIMARY KEY, qty int, "odd name" text, open bool);
    INSERT INTO t VALUES (1, -5, 'x', false), (2, 5, NULL, true), (3, NULL, 'y', NULL);
    ALTER TABLE t ADD CONSTRAINT qty_positive CHECK (qty > 0) NOT VALID,
      ADD CONSTRAINT named CHECK ("odd name" IS NOT NULL) NOT VALID, ADD CHECK (open) NOT VALID,
      ADD CONSTRAINT sound CHECK (id > 0) NOT VALID, ADD CONSTRAINT valid CHECK (id < 100);
    CREATE INDEX ON t (open) WHERE open; CREATE TABLE left_out (i int); INSERT INTO left_out VALUES (1);
    ALTER TABLE left_out ADD CHECK (i > 1) NOT VALID;)");
  Findings found = look_at_constraints(db, "exclude = [\"public.left*\"]");
  EXPECT_EQ(broken(found, "t", "qty_positive"), 1);
  EXPECT_EQ(broken(found, "t", "named"), 1);
  EXPECT_EQ(broken(found, "t", "t_open_check"), 1);
  EXPECT_EQ(broken(found, "t", "sound"), 0);
  EXPECT_EQ(found.state("constraints/public.t.sound"), State::proven) << "the flag is no finding";
  EXPECT_EQ(found.value("pg_integrity_constraint_validated", {{"constraint", "sound"}}), 0);
  EXPECT_FALSE(broken(found, "t", "valid")) << "the catalog takes it for obeyed";
  EXPECT_EQ(found.violated(),
            "constraints/public.t.named constraints/public.t.qty_positive"
            " constraints/public.t.t_open_check");
  db.run("DELETE FROM t WHERE id < 3; ALTER TABLE t VALIDATE CONSTRAINT sound");
  EXPECT_EQ(look_at_constraints(db, "exclude = [\"public.left*\"]").violated(), "");
}

TEST(Constraints, WhatBrokeAConstraintStaysFoundUntilItIsRepaired) {
  const Database db;
  db.run(R"(CREATE DOMAIN amount AS int; CREATE TABLE t (qty int, a amount);
    INSERT INTO t VALUES (-5, -5); ALTER TABLE t ADD CONSTRAINT positive CHECK (qty > 0) NOT VALID;
    ALTER DOMAIN amount ADD CONSTRAINT sound CHECK (VALUE > 0) NOT VALID;
    CREATE TABLE dropped (qty int CONSTRAINT d CHECK (qty > 0)); ALTER TABLE dropped DROP CONSTRAINT d;
    INSERT INTO dropped VALUES (-1); ALTER TABLE dropped ADD CONSTRAINT d CHECK (qty > 0) NOT VALID;)");
  const std::string options = one_server(db.dsn(), {}, "constraints");
  Findings found = look(options);
  ASSERT_EQ(found.violated(),
            "constraints/public.dropped.d constraints/public.t.amount.sound"
            " constraints/public.t.positive");
  db.run("DROP TABLE dropped; ALTER TABLE t RENAME TO renamed");
  found = look(options, found.saved);
  EXPECT_EQ(found.state("constraints/public.dropped.d"), State::violated);
  EXPECT_EQ(found.state("constraints/public.t.positive"), State::violated);
  EXPECT_EQ(found.state("constraints/public.renamed.positive"), State::violated);
  db.run(
      "ALTER TABLE renamed RENAME TO t; UPDATE t SET qty = 5, a = 5;"
      "ALTER TABLE t VALIDATE CONSTRAINT positive; ALTER DOMAIN amount VALIDATE CONSTRAINT sound");
  found = look(options, found.saved);
  EXPECT_EQ(found.state("constraints/public.t.positive"), State::proven);
  EXPECT_EQ(found.state("constraints/public.t.amount.sound"), State::proven);
}

TEST(Constraints, AFunctionThatChangedMakesRowsBreakAValidatedCheck) {
  const Database db;
  db.run(R"(CREATE FUNCTION fine(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
    CREATE TABLE t (i int, CONSTRAINT fine CHECK (fine(i))); INSERT INTO t VALUES (1), (7);
    CREATE OR REPLACE FUNCTION fine(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 < 5';)");
  EXPECT_FALSE(broken(look_at_constraints(db), "t", "fine"));
  const Findings found =
      look_at_constraints(db, "[server.collectors.constraints]\nvalidated = true");
  EXPECT_EQ(broken(found, "t", "fine"), 1);
}

TEST(Constraints, PartitionsAndChildrenCountWhereTheirConstraintIs) {
  const Database db;
  db.run(R"(CREATE TABLE p (i int, n int) PARTITION BY RANGE (i);
    CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (10);
    CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (10) TO (20);
    INSERT INTO p VALUES (1, -1), (11, -1), (12, 1);
    ALTER TABLE p ADD CONSTRAINT whole CHECK (n > 0) NOT VALID;
    ALTER TABLE p_2 ADD CONSTRAINT own CHECK (n > 1) NOT VALID;
    CREATE TABLE parent (n int); CREATE TABLE child () INHERITS (parent);
    INSERT INTO child VALUES (-1); ALTER TABLE parent ADD CONSTRAINT family CHECK (n > 0) NOT VALID;)");
  const Findings found = look_at_constraints(db);
  EXPECT_EQ(broken(found, "p", "whole"), 2);
  EXPECT_FALSE(broken(found, "p_1", "whole")) << "once, at the root";
  EXPECT_EQ(broken(found, "p_2", "own"), 2);
  EXPECT_EQ(broken(found, "parent", "family"), 0);
  EXPECT_EQ(broken(found, "child", "family"), 1);
}

TEST(Constraints, DomainsThatAreNotValidCount) {
  const Database db;
  db.run(
      R"(CREATE DOMAIN positive AS int; CREATE DOMAIN small AS positive; CREATE DOMAIN code AS char(3);
    CREATE TABLE t (a positive, b small, c code); INSERT INTO t VALUES (-1, 1, 'abc'), (2, -2, 'b');
    ALTER DOMAIN positive ADD CONSTRAINT above CHECK (VALUE > 0) NOT VALID;
    ALTER DOMAIN code ADD CONSTRAINT long CHECK (length(VALUE) = 3) NOT VALID;)");
  const Findings found = look_at_constraints(db);
  EXPECT_EQ(broken(found, "t", "positive.above"), 2);
  EXPECT_EQ(broken(found, "t", "code.long"), 1);
}

TEST(Constraints, NobodysCodeIsRun) {
  const Database db;
  db.run(R"(DROP ROLE IF EXISTS check_owner; CREATE ROLE check_owner;
    GRANT CREATE ON SCHEMA public TO check_owner; SET ROLE check_owner;
    CREATE FUNCTION evil(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$
      BEGIN IF current_user <> session_user THEN RETURN true; END IF; RAISE EXCEPTION 'called'; END $$;
    CREATE FUNCTION evil_range(int) RETURNS int4range LANGUAGE plpgsql IMMUTABLE AS $$
      BEGIN IF current_user <> session_user THEN RETURN 'empty'; END IF; RAISE EXCEPTION 'called'; END $$;
    CREATE DOMAIN tricky AS int CHECK (evil(VALUE));
    CREATE TABLE t (i int, r int); INSERT INTO t VALUES (1, 1);
    ALTER TABLE t ADD CONSTRAINT planted CHECK (evil(i)) NOT VALID,
      ADD CONSTRAINT cast_planted CHECK (i::tricky > 0) NOT VALID;
    CREATE TABLE x (r int, CONSTRAINT range_planted EXCLUDE USING gist (evil_range(r) WITH &&));
    CREATE TABLE d (i tricky); INSERT INTO d VALUES (1);
    ALTER DOMAIN tricky ADD CONSTRAINT again CHECK (evil(VALUE)) NOT VALID;)");
  const Findings found = look_at_constraints(db);
  for (const char* name : {"t.planted", "t.cast_planted", "x.range_planted", "d.tricky.again"})
    EXPECT_EQ(found.reason("constraints/public." + std::string(name)), Reason::unsafe) << name;
  db.run("DROP OWNED BY check_owner CASCADE; DROP ROLE check_owner");
}

TEST(Constraints, WhatIsTooLargeOrHiddenIsUnproven) {
  const Database db;
  db.run(R"(CREATE TABLE t (r int4range, i int, CONSTRAINT r EXCLUDE USING gist (r WITH &&));
    INSERT INTO t VALUES ('[1,2)', 1); ALTER TABLE t ADD CONSTRAINT i CHECK (i > 0) NOT VALID;
    DROP ROLE IF EXISTS blind_checker; CREATE ROLE blind_checker LOGIN)");
  for (const char* name : {"t.r", "t.i"}) {
    const std::string object = "constraints/public." + std::string(name);
    EXPECT_EQ(look_at_constraints(db, "[server.collectors.constraints]\nexact_up_to = \"1kB\"")
                  .reason(object),
              Reason::too_large);
    EXPECT_EQ(look_at_constraints(db, {}, "blind_checker").reason(object), Reason::permission);
  }
  db.run("GRANT SELECT (r, i) ON t TO blind_checker");
  EXPECT_EQ(look_at_constraints(db, {}, "blind_checker").collector("constraints").state,
            State::proven);
}

TEST(Constraints, NotEnforcedAndNotNullOf18) {
  const Database db;
  if (db.cluster().major() < 18) GTEST_SKIP() << "NOT ENFORCED came with version 18";
  db.run(R"(CREATE TABLE t (i int, n int, CONSTRAINT loose CHECK (i > 0) NOT ENFORCED);
    INSERT INTO t VALUES (-1, NULL), (1, 1); ALTER TABLE t ADD CONSTRAINT filled NOT NULL n NOT VALID;)");
  const Findings found = look_at_constraints(db);
  EXPECT_EQ(broken(found, "t", "loose"), 1);
  EXPECT_EQ(broken(found, "t", "filled"), 1);
  EXPECT_EQ(found.value("pg_integrity_constraint_enforced", {{"constraint", "loose"}}), 0);
  EXPECT_EQ(found.value("pg_integrity_constraint_enforced", {{"constraint", "filled"}}), 1);
}

TEST(Constraints, KeysWithoutOverlapsOf18) {
  const Database db;
  if (db.cluster().major() < 18) GTEST_SKIP() << "WITHOUT OVERLAPS came with version 18";
  db.run(
      R"(CREATE TABLE t (id int4range, valid daterange, CONSTRAINT k PRIMARY KEY (id, valid WITHOUT OVERLAPS));
    INSERT INTO t VALUES ('[1,2)', '[2026-01-01,2026-02-01)'), ('[1,2)', '[2026-02-01,)'), ('[2,3)', '(,)');)");
  EXPECT_EQ(conflicting(look_at_constraints(db), "t", "k"), 0);
  EXPECT_EQ(
      look(one_server(db.dsn(), {}, "duplicates")).page.all("pg_integrity_duplicate_rows").size(),
      0U);
  db.run(unseen_by_exclusion("t", "INSERT INTO t VALUES ('[1,2)', '[2026-01-31,2026-02-01)')"));
  EXPECT_EQ(conflicting(look_at_constraints(db), "t", "k"), 1);
}

}  // namespace
}  // namespace pg_integrity::test::constraints_test
