#include "collectors/postgres/schema_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/postgres/schema.h"
#include "tests/support/opened_session.h"

namespace pg_integrity::test::schema_test {
namespace {

constexpr Instant kNow{Seconds(1000)};

class SchemaOf : public ::testing::Test {
 protected:
  std::shared_ptr<const Schema> load(const std::vector<std::string>& exclude = {}) {
    return load_schema(*session_, exclude, kNow);
  }

  static std::string table_names(const Schema& schema) {
    std::string names;
    for (const Table& table : schema.tables)
      names += (names.empty() ? "" : " ") + table.name.display();
    return names;
  }

  static std::string key_names(const Schema& schema) {
    std::string names;
    for (const ForeignKey& key : schema.foreign_keys)
      names += (names.empty() ? "" : " ") + key.child.name + "." + key.name;
    return names;
  }

  /// The foreign key of that name. The test fails if there is none.
  static ForeignKey key(const Schema& schema, const std::string& name) {
    const auto found = std::find_if(schema.foreign_keys.begin(), schema.foreign_keys.end(),
                                    [&](const ForeignKey& each) { return each.name == name; });
    if (found == schema.foreign_keys.end()) throw std::runtime_error("no key " + name);
    return *found;
  }
  ForeignKey key(const std::string& name) { return key(*load(), name); }

  const Database db_;
  OpenedSession session_{db_};
};

TEST_F(SchemaOf, AnEmptyDatabaseIsEmpty) {
  const auto schema = load();
  EXPECT_TRUE(schema->tables.empty());
  EXPECT_TRUE(schema->foreign_keys.empty());
  EXPECT_EQ(schema->triggers, 0U);
  EXPECT_EQ(schema->sequences, 0U);
  EXPECT_EQ(schema->loaded_at, kNow);
}

TEST_F(SchemaOf, TablesAreSortedAndFoundByTheirExactName) {
  db_.run(R"(CREATE TABLE b (i int); CREATE TABLE a (i int); CREATE TABLE "A" (i int);
    CREATE SCHEMA other; CREATE TABLE other.a (i int); CREATE UNLOGGED TABLE c (i int);)");
  const auto schema = load();
  EXPECT_EQ(table_names(*schema), "other.a public.A public.a public.b public.c");
  ASSERT_NE(schema->table({"public", "A"}), nullptr);
  EXPECT_EQ(schema->table({"public", "A"})->name.name, "A");
  EXPECT_EQ(schema->table({"public", "B"}), nullptr);
  EXPECT_EQ(schema->table({"public", "zzz"}), nullptr);
  EXPECT_EQ(schema->table({"a", "a"}), nullptr);
}

TEST_F(SchemaOf, LeavesOutWhatIsNobodysOwnTable) {
  db_.run(
      R"(CREATE TABLE mine (id serial PRIMARY KEY); CREATE VIEW v AS SELECT 1 i;
      CREATE MATERIALIZED VIEW m AS SELECT 1 i;
    CREATE TYPE composite AS (i int); CREATE EXTENSION citext;
    CREATE TABLE owned (id serial PRIMARY KEY, up int CONSTRAINT owned_key REFERENCES owned);
    ALTER EXTENSION citext ADD TABLE owned; ALTER EXTENSION citext ADD SEQUENCE owned_id_seq;
    CREATE EXTENSION postgres_fdw;
    CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '192.0.2.1');
    CREATE FOREIGN TABLE remote (i int) SERVER elsewhere;)");
  Client temporary(db_.dsn());
  temporary.run("CREATE TEMP TABLE passing (id serial PRIMARY KEY, up int REFERENCES passing)");
  const auto schema = load();
  EXPECT_EQ(table_names(*schema), "public.mine");
  EXPECT_TRUE(schema->foreign_keys.empty()) << key_names(*schema);
  EXPECT_EQ(schema->sequences, 1U);
  EXPECT_EQ(schema->excluded_tables, 0U) << "excluded is what the configuration excludes";
}

TEST_F(SchemaOf, WhatTheConfigurationExcludesIsCounted) {
  db_.run(R"(CREATE TABLE keep (id int PRIMARY KEY); CREATE TABLE tmp_a (id int REFERENCES keep);
    CREATE TABLE tmp_b (id int PRIMARY KEY);
      CREATE TABLE child (id int CONSTRAINT kept REFERENCES tmp_b);
    CREATE SCHEMA junk; CREATE TABLE junk.x (id serial); CREATE SEQUENCE kept_sequence;
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER t AFTER INSERT ON tmp_a EXECUTE FUNCTION f();
    CREATE TRIGGER t AFTER INSERT ON keep EXECUTE FUNCTION f();)");
  const auto schema = load({"public.tmp_*", "junk.*"});
  EXPECT_EQ(table_names(*schema), "public.child public.keep");
  EXPECT_EQ(schema->excluded_tables, 3U);
  EXPECT_EQ(key_names(*schema), "child.kept") << "a key belongs to its child";
  EXPECT_EQ(schema->excluded_foreign_keys, 1U);
  EXPECT_EQ(schema->triggers, 1U);
  EXPECT_EQ(schema->sequences, 1U);
  EXPECT_EQ(schema->table({"public", "tmp_a"}), nullptr);
}

TEST_F(SchemaOf, TheInventoryCountsEachThingOnce) {
  db_.run(R"(CREATE TABLE a (id serial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY);
    CREATE TABLE p (id int) PARTITION BY RANGE (id);
    CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (10);
    CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (10) TO (20);
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER one AFTER INSERT ON a EXECUTE FUNCTION f();
    CREATE TRIGGER two AFTER DELETE ON a EXECUTE FUNCTION f();
    CREATE TRIGGER each_row AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION f();
    CREATE SEQUENCE s; CREATE TABLE b (id int REFERENCES a);)");
  const auto schema = load();
  EXPECT_EQ(table_names(*schema), "public.a public.b public.p");
  EXPECT_EQ(schema->foreign_keys.size(), 1U);
  EXPECT_EQ(schema->triggers, 3U) << "neither a key's own triggers nor a partition's clones";
  EXPECT_EQ(schema->sequences, 3U);
}

TEST_F(SchemaOf, ColumnsKeepTheirOrderAndTellTheirType) {
  db_.run(
      R"(CREATE TABLE t (z timestamptz NOT NULL, gone int, y timestamp, x date, w text,
      v varchar(5), u char(3),
    s bool, r int, q numeric(10, 2), p float8, o bytea, n timestamptz[], m jsonb);
    ALTER TABLE t DROP COLUMN gone)");
  const auto schema = load();
  const Table* table = schema->table({"public", "t"});
  ASSERT_NE(table, nullptr);
  const std::pair<const char*, ColumnType> expected[] = {
      {"z", ColumnType::timestamptz}, {"y", ColumnType::timestamp}, {"x", ColumnType::date},
      {"w", ColumnType::text},        {"v", ColumnType::text},      {"u", ColumnType::text},
      {"s", ColumnType::boolean},     {"r", ColumnType::number},    {"q", ColumnType::number},
      {"p", ColumnType::number},      {"o", ColumnType::other},     {"n", ColumnType::other},
      {"m", ColumnType::other}};
  ASSERT_EQ(table->columns.size(), std::size(expected));
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(table->columns[i].name, expected[i].first);
    EXPECT_EQ(table->columns[i].type, expected[i].second) << expected[i].first;
  }
  EXPECT_TRUE(table->column("z")->not_null);
  EXPECT_FALSE(table->column("y")->not_null);
  EXPECT_EQ(table->column("gone"), nullptr);
  EXPECT_EQ(table->column("Z"), nullptr);
}

TEST_F(SchemaOf, ADomainCountsAsItsBaseTypeHoweverDeep) {
  db_.run(
      R"(CREATE DOMAIN moment AS timestamptz;
      CREATE DOMAIN birth AS moment CHECK (VALUE > '1900-01-01');
    CREATE DOMAIN first_birth AS birth; CREATE TYPE odd AS ENUM ('a'); CREATE DOMAIN odder AS odd;
    CREATE TYPE text AS ENUM ('no text at all');
    CREATE TABLE t (a moment, b birth, c first_birth, d odder, e public.text))");
  const auto schema = load();
  const Table* table = schema->table({"public", "t"});
  ASSERT_NE(table, nullptr);
  ASSERT_EQ(table->columns.size(), 5U);
  EXPECT_EQ(table->column("a")->type, ColumnType::timestamptz);
  EXPECT_EQ(table->column("b")->type, ColumnType::timestamptz);
  EXPECT_EQ(table->column("c")->type, ColumnType::timestamptz);
  EXPECT_EQ(table->column("d")->type, ColumnType::other);
  EXPECT_EQ(table->column("e")->type, ColumnType::other)
      << "a type of that name, but not that type";
}

TEST_F(SchemaOf, KnowsWhichColumnsLeadAnIndex) {
  db_.run(
      R"(CREATE TABLE t (pk int PRIMARY KEY, leads int, follows int, partial int, hashed int,
      expression int, brin int);
    CREATE INDEX ON t (leads, follows); CREATE INDEX ON t (partial) WHERE partial > 0;
    CREATE INDEX ON t USING hash (hashed); CREATE INDEX ON t ((expression + 1));
      CREATE INDEX ON t USING brin (brin);
    CREATE TABLE p (at date) PARTITION BY RANGE (at); CREATE INDEX ON p (at);)");
  const auto schema = load();
  const Table* table = schema->table({"public", "t"});
  ASSERT_NE(table, nullptr);
  for (const Column& column : table->columns)
    EXPECT_EQ(column.leads_index, column.name == "pk" || column.name == "leads") << column.name;
  ASSERT_NE(schema->table({"public", "p"}), nullptr);
  EXPECT_TRUE(schema->table({"public", "p"})->column("at")->leads_index);
}

TEST_F(SchemaOf, UniqueKeysKeepTheOrderOfTheirColumns) {
  db_.run(
      R"(CREATE TABLE t (a int, b int, c int, PRIMARY KEY (c, a), CONSTRAINT twice UNIQUE (b, c),
      UNIQUE (b));
    CREATE TABLE "T" (a int CONSTRAINT twice_again UNIQUE);)");
  const auto schema = load();
  const Table* table = schema->table({"public", "t"});
  ASSERT_NE(table, nullptr);
  ASSERT_EQ(table->keys.size(), 3U);
  std::map<std::string, std::vector<std::string>> columns;
  for (const UniqueKey& each : table->keys) {
    EXPECT_EQ(each.primary, each.name == "t_pkey") << each.name;
    columns[each.name] = each.columns;
  }
  EXPECT_EQ(columns["t_pkey"], (std::vector<std::string>{"c", "a"}));
  EXPECT_EQ(columns["twice"], (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(schema->table({"public", "T"})->keys.size(), 1U);
}

TEST_F(SchemaOf, EstimatesAreUnknownUntilSomebodyAnalyzes) {
  db_.run(R"(CREATE TABLE t AS SELECT generate_series(1, 1000) i; CREATE TABLE empty (i int);
    CREATE TABLE p (i int) PARTITION BY RANGE (i);
    CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (10);
    CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (10) TO (20); INSERT INTO p VALUES (1), (11),
      (12);)");
  auto schema = load();
  EXPECT_FALSE(schema->table({"public", "t"})->estimated_rows);
  EXPECT_FALSE(schema->table({"public", "t"})->estimated_bytes);
  EXPECT_FALSE(schema->table({"public", "p"})->estimated_rows);
  db_.run("ANALYZE t; ANALYZE empty; ANALYZE p_1");
  schema = load();
  EXPECT_EQ(schema->table({"public", "t"})->estimated_rows, 1000);
  EXPECT_GE(schema->table({"public", "t"})->estimated_bytes, 8192);
  EXPECT_EQ(schema->table({"public", "empty"})->estimated_bytes.value_or(0), 0);
  EXPECT_FALSE(schema->table({"public", "p"})->estimated_rows) << "one partition is unknown";
  db_.run("ANALYZE p_2");
  EXPECT_EQ(load()->table({"public", "p"})->estimated_rows, 3) << "the sum of its leaves";
}

TEST_F(SchemaOf, APartitionedTableIsOneTableAndSaysWhetherItLeavesTheServer) {
  db_.run(R"(CREATE EXTENSION postgres_fdw;
    CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '192.0.2.1');
    CREATE TABLE here (i int) PARTITION BY RANGE (i);
    CREATE TABLE here_1 PARTITION OF here FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (i);
    CREATE TABLE here_1_1 PARTITION OF here_1 FOR VALUES FROM (0) TO (5);
    CREATE TABLE away (i int) PARTITION BY RANGE (i);
    CREATE TABLE away_1 PARTITION OF away FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (i);
    CREATE FOREIGN TABLE away_1_1 PARTITION OF away_1 FOR VALUES FROM (0) TO (5) SERVER elsewhere;
    CREATE TABLE base (i int); CREATE TABLE heir () INHERITS (base);)");
  const auto schema = load();
  EXPECT_EQ(table_names(*schema), "public.away public.base public.heir public.here");
  EXPECT_TRUE(schema->table({"public", "here"})->partitioned);
  EXPECT_FALSE(schema->table({"public", "here"})->has_foreign_partition);
  EXPECT_TRUE(schema->table({"public", "away"})->has_foreign_partition);
  EXPECT_EQ(schema->table({"public", "here"})->from_clause(), "\"public\".\"here\"");
  EXPECT_EQ(schema->table({"public", "base"})->from_clause(), "\"public\".\"base\"");
  EXPECT_EQ(schema->table({"public", "heir"})->from_clause(), "ONLY \"public\".\"heir\"");
}

TEST_F(SchemaOf, ACompositeKeyPairsItsColumnsAsDeclared) {
  db_.run(R"(CREATE TABLE parent (a int, b text, PRIMARY KEY (a, b));
    CREATE TABLE child (x text, y int, CONSTRAINT key FOREIGN KEY (y, x) REFERENCES parent (a,
      b) MATCH FULL);)");
  const ForeignKey found = key("key");
  ASSERT_EQ(found.columns.size(), 2U);
  EXPECT_EQ(found.columns[0].child, "y");
  EXPECT_EQ(found.columns[0].parent, "a");
  EXPECT_EQ(found.columns[1].child, "x");
  EXPECT_EQ(found.columns[1].parent, "b");
  EXPECT_EQ(found.columns[0].comparison, "OPERATOR(pg_catalog.=)");
  EXPECT_TRUE(found.match_full);
  EXPECT_TRUE(found.validated);
  EXPECT_TRUE(found.enforced);
  EXPECT_FALSE(found.temporal);
  EXPECT_EQ(found.child, (QualifiedName{"public", "child"}));
  EXPECT_EQ(found.parent, (QualifiedName{"public", "parent"}));
}

TEST_F(SchemaOf, KeysReachIntoTheSameTableAndOtherSchemas) {
  db_.run(
      R"(CREATE SCHEMA other; CREATE TABLE other.parent (id int PRIMARY KEY,
      up int CONSTRAINT self REFERENCES other.parent);
    CREATE TABLE parent (id int PRIMARY KEY);
      CREATE TABLE child (id int CONSTRAINT across REFERENCES other.parent);)");
  EXPECT_EQ(key("self").child, key("self").parent);
  EXPECT_EQ(key("across").parent, (QualifiedName{"other", "parent"}));
}

TEST_F(SchemaOf, KeysOfOneNameOnSeveralTablesStayApart) {
  db_.run(R"(CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE b (i int, CONSTRAINT key FOREIGN KEY (i) REFERENCES parent);
    CREATE TABLE a (j int, CONSTRAINT key FOREIGN KEY (j) REFERENCES parent,
      k int CONSTRAINT alone REFERENCES parent);)");
  const auto schema = load();
  ASSERT_EQ(key_names(*schema), "a.alone a.key b.key");
  EXPECT_EQ(schema->foreign_keys[1].columns[0].child, "j");
  EXPECT_EQ(schema->foreign_keys[2].columns[0].child, "i");
}

TEST_F(SchemaOf, APartitionedKeyIsOneLogicalKey) {
  db_.run(R"(CREATE TABLE parent (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE parent_1 PARTITION OF parent FOR VALUES FROM (0) TO (100);
    CREATE TABLE parent_2 PARTITION OF parent FOR VALUES FROM (100) TO (200);
    CREATE TABLE child (id int CONSTRAINT key REFERENCES parent) PARTITION BY RANGE (id);
    CREATE TABLE child_1 PARTITION OF child FOR VALUES FROM (0) TO (100);
    CREATE TABLE child_2 PARTITION OF child FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (id);
    CREATE TABLE child_2_1 PARTITION OF child_2 FOR VALUES FROM (100) TO (150);)");
  ASSERT_NE(db_.ask("SELECT count(*) FROM pg_constraint WHERE contype = 'f'"), "1");
  auto schema = load();
  ASSERT_EQ(key_names(*schema), "child.key");
  EXPECT_TRUE(schema->foreign_keys[0].child_partitioned);
  EXPECT_TRUE(schema->foreign_keys[0].parent_partitioned);
  EXPECT_TRUE(schema->foreign_keys[0].enforced);
  // A detached partition keeps a key of its own.
  db_.run("ALTER TABLE child DETACH PARTITION child_1");
  schema = load();
  ASSERT_EQ(schema->foreign_keys.size(), 2U) << key_names(*schema);
  EXPECT_TRUE(schema->foreign_keys[0].enforced);
  EXPECT_TRUE(schema->foreign_keys[1].enforced);
}

TEST_F(SchemaOf, ATriggerSwitchedOffDeepBelowAPartitionedKeyUnenforcesIt) {
  db_.run(R"(CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int CONSTRAINT key REFERENCES parent) PARTITION BY RANGE (id);
    CREATE TABLE child_1 PARTITION OF child FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
    CREATE TABLE child_1_1 PARTITION OF child_1 FOR VALUES FROM (0) TO (50);
    ALTER TABLE child_1_1 DISABLE TRIGGER ALL;)");
  EXPECT_FALSE(key("key").enforced);
  db_.run("ALTER TABLE child_1_1 ENABLE TRIGGER ALL");
  EXPECT_TRUE(key("key").enforced);
}

TEST_F(SchemaOf, AKeyIsEnforcedWhileAllItsTriggersFire) {
  db_.run(
      R"(CREATE TABLE parent (id int PRIMARY KEY);
      CREATE TABLE child (id int CONSTRAINT key REFERENCES parent);)");
  const auto after = [&](const std::string& sql) {
    db_.run(sql);
    return key("key").enforced;
  };
  EXPECT_TRUE(key("key").enforced);
  EXPECT_FALSE(after("ALTER TABLE child DISABLE TRIGGER ALL"));
  EXPECT_FALSE(
      after("ALTER TABLE child ENABLE TRIGGER ALL; ALTER TABLE parent DISABLE TRIGGER ALL"));
  EXPECT_TRUE(after("ALTER TABLE parent ENABLE TRIGGER ALL"));
  const std::string trigger = db_.ask(
      "SELECT quote_ident(tgname) FROM pg_trigger WHERE tgrelid = 'child'::regclass ORDER BY 1 "
      "LIMIT 1");
  EXPECT_TRUE(after("ALTER TABLE child ENABLE ALWAYS TRIGGER " + trigger));
  EXPECT_FALSE(after("ALTER TABLE child ENABLE REPLICA TRIGGER " + trigger));
}

TEST_F(SchemaOf, AUsersOwnTriggerDoesNotEnforceAKey) {
  db_.run(
      R"(CREATE TABLE parent (id int PRIMARY KEY);
      CREATE TABLE child (id int CONSTRAINT key REFERENCES parent);
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER mine AFTER INSERT ON child EXECUTE FUNCTION f();
      ALTER TABLE child DISABLE TRIGGER mine;)");
  EXPECT_TRUE(key("key").enforced);
}

TEST_F(SchemaOf, ANotValidKeyIsKnownAsSuchUntilItIsValidated) {
  db_.run(R"(CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int);
    ALTER TABLE child ADD CONSTRAINT key FOREIGN KEY (id) REFERENCES parent NOT VALID;)");
  EXPECT_FALSE(key("key").validated);
  EXPECT_TRUE(key("key").enforced) << "new rows are checked all the same";
  db_.run("ALTER TABLE child VALIDATE CONSTRAINT key");
  EXPECT_TRUE(key("key").validated);
}

TEST_F(SchemaOf, AnIndexServesAKeyIfItLeadsWithAllItsColumns) {
  db_.run(R"(CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));
    CREATE TABLE bare (a int, b int, c int, CONSTRAINT bare FOREIGN KEY (a, b) REFERENCES parent);
    CREATE TABLE turned (LIKE bare, CONSTRAINT turned FOREIGN KEY (a, b) REFERENCES parent);
    CREATE TABLE half (LIKE bare, CONSTRAINT half FOREIGN KEY (a, b) REFERENCES parent);
    CREATE TABLE late (LIKE bare, CONSTRAINT late FOREIGN KEY (a, b) REFERENCES parent);
    CREATE TABLE included (LIKE bare, CONSTRAINT included FOREIGN KEY (a, b) REFERENCES parent);
    CREATE INDEX ON turned (b, a, c); CREATE INDEX ON half (a); CREATE INDEX ON late (c, a, b);
    CREATE INDEX ON included (a) INCLUDE (b);)");
  EXPECT_FALSE(key("bare").indexed);
  EXPECT_TRUE(key("turned").indexed);
  EXPECT_FALSE(key("half").indexed);
  EXPECT_FALSE(key("late").indexed);
  EXPECT_FALSE(key("included").indexed) << "what is only included cannot be searched for";
}

TEST_F(SchemaOf, ComparesAsTheKeyDoes) {
  db_.run(R"(CREATE EXTENSION citext; CREATE TABLE named (name citext PRIMARY KEY);
    CREATE TABLE called (name citext CONSTRAINT cases REFERENCES named);
    CREATE TABLE wide (id bigint PRIMARY KEY);
      CREATE TABLE narrow (id smallint CONSTRAINT sizes REFERENCES wide);
    CREATE TABLE sums (n numeric PRIMARY KEY);
      CREATE TABLE parts (n int CONSTRAINT casts REFERENCES sums);
    CREATE TABLE c (t text COLLATE "C" PRIMARY KEY);
    CREATE TABLE d (t text COLLATE "POSIX" CONSTRAINT collations REFERENCES c);)");
  EXPECT_EQ(key("cases").columns[0].comparison, "OPERATOR(public.=)");
  EXPECT_EQ(key("sizes").columns[0].parent_cast + key("sizes").columns[0].child_cast, "")
      << "there is an operator for the two";
  EXPECT_EQ(key("casts").columns[0].child_cast, "::pg_catalog.\"numeric\"");
  EXPECT_EQ(key("casts").columns[0].parent_cast, "");
  EXPECT_EQ(key("collations").columns[0].collation, " COLLATE pg_catalog.\"C\"");
  EXPECT_EQ(key("cases").columns[0].collation, "");
}

TEST_F(SchemaOf, HostileNamesComeThroughAsTheyAre) {
  const std::string name = "A\"b\\c\n{d}='e.é🐘 ;--";
  const std::string quoted = sql_identifier(name);
  db_.run("CREATE SCHEMA " + quoted + "; CREATE TABLE " + quoted + "." + quoted + " (" + quoted +
          " int, CONSTRAINT " + sql_identifier(name + "!") + " PRIMARY KEY (" + quoted + "))");
  db_.run("CREATE TABLE \"Mixed\" (\"Id\" int CONSTRAINT \"Key\" REFERENCES " + quoted + "." +
          quoted + ")");
  const auto schema = load();
  const Table* table = schema->table({name, name});
  ASSERT_NE(table, nullptr) << table_names(*schema);
  EXPECT_EQ(table->columns.at(0).name, name);
  EXPECT_EQ(table->keys.at(0).name, name + "!");
  EXPECT_EQ(table->keys.at(0).columns.at(0), name);
  const ForeignKey found = key(*schema, "Key");
  EXPECT_EQ(found.child, (QualifiedName{"public", "Mixed"}));
  EXPECT_EQ(found.parent, (QualifiedName{name, name}));
  EXPECT_EQ(found.columns.at(0).child, "Id");
  EXPECT_EQ(found.columns.at(0).parent, name);
  EXPECT_EQ(session_->query("SELECT count(*) AS n FROM " + table->from_clause()).only().number("n"),
            0);
}

TEST_F(SchemaOf, ReadsWhatTheRoleMaySeeOfTheCatalogWithoutAnyGrant) {
  db_.run(
      R"(CREATE TABLE parent (id int PRIMARY KEY);
      CREATE TABLE child (id int CONSTRAINT key REFERENCES parent);
    DROP ROLE IF EXISTS no_grants; CREATE ROLE no_grants LOGIN)");
  OpenedSession blind(db_, "no_grants");
  const auto schema = load_schema(*blind, {}, kNow);
  EXPECT_EQ(table_names(*schema), "public.child public.parent");
  EXPECT_TRUE(key(*schema, "key").enforced);
}

TEST_F(SchemaOf, DoesNotWaitBehindALock) {
  db_.run("CREATE TABLE locked (id int PRIMARY KEY)");
  Client locker(db_.dsn());
  locker.run("BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE");
  EXPECT_EQ(table_names(*load()), "public.locked");
}

TEST_F(SchemaOf, AskNothingPerTable) {
  db_.run("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int REFERENCES a)");
  load();
  const std::size_t few = session_->statements.size();
  db_.run(
      "DO $$ BEGIN FOR i IN 1..30 LOOP EXECUTE format('CREATE TABLE t_%s (id int REFERENCES a)', "
      "i); END LOOP; END $$");
  session_->statements.clear();
  EXPECT_EQ(load()->tables.size(), 32U);
  EXPECT_EQ(session_->statements.size(), few);
}

TEST(SqlIdentifier, IsAlwaysQuoted) {
  EXPECT_EQ(sql_identifier("plain"), "\"plain\"");
  EXPECT_EQ(sql_identifier("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(sql_identifier(""), "\"\"");
  EXPECT_EQ((QualifiedName{"a.b", "c\"d"}.sql()), "\"a.b\".\"c\"\"d\"");
  EXPECT_EQ((QualifiedName{"a", "b"}.display()), "a.b");
}

using SchemaCacheOf = SchemaOf;

TEST_F(SchemaCacheOf, IsReadOnceAMinute) {
  SchemaCache shared({});
  const auto first = shared.get(*session_, kNow);
  db_.run("CREATE TABLE t (i int)");
  session_->statements.clear();
  EXPECT_EQ(shared.get(*session_, kNow + Seconds(59.9)), first);
  EXPECT_TRUE(session_->statements.empty());
  const auto second = shared.get(*session_, kNow + Seconds(60));
  EXPECT_EQ(table_names(*first), "") << "what somebody holds does not change under him";
  EXPECT_EQ(table_names(*second), "public.t");
  EXPECT_EQ(shared.get(*session_, kNow + Seconds(119)), second) << "the minute counts anew";
}

TEST_F(SchemaCacheOf, IsReadAnewWhenItIsContradicted) {
  SchemaCache shared({});
  const auto first = shared.get(*session_, kNow);
  shared.contradict();
  const auto second = shared.get(*session_, kNow + Seconds(1));
  EXPECT_NE(first, second);
  EXPECT_EQ(shared.get(*session_, kNow + Seconds(2)), second);
}

TEST_F(SchemaCacheOf, IsReadAnewWhenItIsContradictedWhileSomebodyReads) {
  SchemaCache shared({});
  session_->before_each = [&] { shared.contradict(); };
  const auto first = shared.get(*session_, kNow);
  session_->before_each = nullptr;
  EXPECT_NE(shared.get(*session_, kNow + Seconds(1)), first);
}

TEST_F(SchemaCacheOf, AFailureLeavesTheNextOneToTryAgain) {
  SchemaCache shared({"public.x*"});
  db_.run("CREATE TABLE t (i int); CREATE TABLE x (i int)");
  session_->before_each = [] { throw SourceError(Reason::timeout, "too slow"); };
  EXPECT_THROW(shared.get(*session_, kNow), SourceError);
  session_->before_each = nullptr;
  EXPECT_EQ(table_names(*shared.get(*session_, kNow)), "public.t");
}

}  // namespace
}  // namespace pg_integrity::test::schema_test
