#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "collectors/base/errors.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"
#include "tests/support/opened_session.h"
#include "tests/support/step_sources.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::storage_test {
namespace {

Findings look_at_storage(const Database& database, const std::string& more = {}) {
  return look(one_server(database.dsn(), more, "storage"));
}

const LabelSet kOwn{{"pages", "database_pages"}};

std::optional<double> behind(const Findings& found, const std::string& table,
                             const std::string& column = "id") {
  return found.value("pg_integrity_sequence_behind_values",
                     {{"schema", "public"}, {"table", table}, {"column", column}});
}

std::optional<double> invalid(const Findings& found, const std::string& schema = "public") {
  return found.value("pg_integrity_invalid_indexes", {{"schema", schema}});
}

TEST(Storage, AStockDatabaseRaisesNothing) {
  const Database db;
  db.run(
      R"(CREATE TABLE t (id serial PRIMARY KEY, name text UNIQUE); INSERT INTO t (name) VALUES ('a');
    CREATE UNLOGGED TABLE passing (i int);)");
  const Findings found = look_at_storage(db);
  EXPECT_EQ(found.value("pg_integrity_checksums_enabled"), 0);
  EXPECT_TRUE(found.page.all("pg_integrity_checksum_failures").empty()) << "nobody counts them";
  EXPECT_FALSE(found.value("pg_integrity_checksum_last_failure_timestamp_seconds"));
  EXPECT_EQ(invalid(found), 0);
  EXPECT_EQ(found.value("pg_integrity_unlogged_tables"), 1);
  EXPECT_EQ(behind(found, "t"), 0);
  EXPECT_EQ(found.collector("storage").state, State::proven);
}

TEST(Storage, ChecksumFailuresAreAViolationUntilTheyAreAcknowledged) {
  Cluster cluster;
  const ProcessOptions unprivileged{{}, {}, true};
  cluster.stop();
  ASSERT_EQ(run({Cluster::programs() + "/pg_checksums", "--enable", "--no-sync", "-D",
                 cluster.data_directory()},
                unprivileged)
                .status,
            0);
  cluster.start();
  const Database db(cluster);
  db.run("CREATE TABLE t (i int); INSERT INTO t SELECT generate_series(1, 100); CHECKPOINT");
  Findings found = look_at_storage(db);
  EXPECT_EQ(found.value("pg_integrity_checksums_enabled"), 1);
  EXPECT_EQ(found.value("pg_integrity_checksum_failures", kOwn), 0);
  EXPECT_EQ(found.collector("storage").state, State::proven);

  const std::string file =
      cluster.data_directory() + "/" + db.ask("SELECT pg_relation_filepath('t')");
  cluster.stop();
  {
    std::fstream page(file, std::ios::in | std::ios::out | std::ios::binary);
    page.seekp(8000);
    page << "damaged";
  }
  cluster.start();
  EXPECT_ANY_THROW(db.run("SELECT count(*) FROM t"));
  ASSERT_TRUE(eventually([&] {
    return db.ask(
               "SELECT checksum_failures > 0 FROM pg_stat_database WHERE datname = "
               "current_database()") == "t";
  }));
  found = look_at_storage(db);
  EXPECT_EQ(found.value("pg_integrity_checksum_failures", kOwn), 1);
  EXPECT_NEAR(found.value("pg_integrity_checksum_last_failure_timestamp_seconds", kOwn).value(),
              std::stod(db.ask("SELECT extract(epoch FROM now())")), 60);
  EXPECT_EQ(found.value("pg_integrity_checksum_failures", {{"pages", "shared_pages"}}), 0);
  EXPECT_EQ(found.violated(), "storage/database_pages");
  EXPECT_EQ(look_at_storage(db, "[server.collectors.storage]\nacknowledged_checksum_failures = 1")
                .violated(),
            "");
}

TEST(Storage, AnIndexThatFailedIsInvalid) {
  const Database db;
  db.run(R"(CREATE TABLE t (i int); INSERT INTO t VALUES (1), (1);
    CREATE TABLE left_out (i int); INSERT INTO left_out VALUES (1), (1);)");
  EXPECT_ANY_THROW(db.run("CREATE UNIQUE INDEX CONCURRENTLY failed ON t (i)"));
  EXPECT_ANY_THROW(db.run("CREATE UNIQUE INDEX CONCURRENTLY unwatched ON left_out (i)"));
  Findings found = look_at_storage(db, "exclude = [\"public.left*\"]");
  EXPECT_EQ(invalid(found), 1);
  EXPECT_EQ(found.violated(), "storage/public");
  db.run("DROP INDEX failed");
  found = look_at_storage(db, "exclude = [\"public.left*\"]");
  EXPECT_EQ(invalid(found), 0);
  EXPECT_EQ(found.violated(), "");
}

std::string break_index(const std::string& regclass) {
  return "UPDATE pg_index SET indisvalid = false WHERE indexrelid = " + regclass + ";";
}

std::string toast_index_of(const std::string& table) {
  return "(SELECT i.indexrelid FROM pg_index i JOIN pg_class c ON c.reltoastrelid = i.indrelid"
         " WHERE c.oid = '" +
         table + "'::regclass)";
}

TEST(Storage, IndexesOfToastTablesAndMaterializedViewsCountToo) {
  const Database db;
  db.run(R"(CREATE SCHEMA views; CREATE TABLE docs (id int PRIMARY KEY, body text);
    CREATE MATERIALIZED VIEW views.mv AS SELECT id FROM docs; CREATE UNIQUE INDEX mv_id ON views.mv (id);
    CREATE MATERIALIZED VIEW left_out AS SELECT id, 'x' AS x FROM docs;
    CREATE TABLE p (i int, body text) PARTITION BY RANGE (i);
    CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (9);)");
  const std::string exclude = "exclude = [\"public.left*\"]";
  Findings found = look_at_storage(db, exclude);
  EXPECT_EQ(invalid(found), 0);
  EXPECT_EQ(invalid(found, "views"), 0);
  db.run(break_index("'views.mv_id'::regclass") + break_index(toast_index_of("docs")) +
         break_index(toast_index_of("p_1")) + break_index(toast_index_of("left_out")));
  found = look_at_storage(db, exclude);
  EXPECT_EQ(invalid(found), 2) << "of docs and of the partition";
  EXPECT_EQ(invalid(found, "views"), 1);
  EXPECT_EQ(found.violated(), "storage/public storage/views");
  const auto& lines = found.object("storage/public").lines;
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("of the TOAST table of public.docs, is not valid") != std::string::npos;
  }));
  db.run("UPDATE pg_index SET indisvalid = true; REINDEX INDEX views.mv_id");
  EXPECT_EQ(look_at_storage(db, exclude).violated(), "");
}

TEST(Storage, IndexesOfCatalogsCountToo) {
  const Database db;
  db.run("CREATE TABLE t (i int)");
  EXPECT_EQ(invalid(look_at_storage(db), "pg_catalog"), 0);
  db.run(break_index("'pg_description_o_c_o_index'::regclass") +
         break_index(toast_index_of("pg_description")) +
         break_index(toast_index_of("information_schema.sql_features")));
  const Findings found = look_at_storage(db);
  EXPECT_EQ(invalid(found, "pg_catalog"), 3);
  EXPECT_EQ(found.violated(), "storage/pg_catalog");
}

TEST(Storage, AToastIndexThatIsBeingRebuiltIsNot) {
  const Database db;
  db.run("CREATE TABLE t (i int PRIMARY KEY, body text)");
  Client reader(db.dsn());
  reader.run("BEGIN; SELECT count(*) FROM t");  // the rebuild waits for it
  Process rebuild({Cluster::programs() + "/psql", db.dsn(), "-c", "REINDEX TABLE CONCURRENTLY t"});
  ASSERT_TRUE(eventually(
      [&] { return db.ask("SELECT count(*) > 1 FROM pg_index WHERE NOT indisvalid") == "t"; }));
  EXPECT_EQ(invalid(look_at_storage(db)), 0);
  db.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'REINDEX%'");
  ASSERT_TRUE(eventually([&] { return !rebuild.running(); }));
  const Findings found = look_at_storage(db);
  EXPECT_EQ(invalid(found), 2) << "left behind, of the table and of its TOAST table";
  const auto& lines = found.object("storage/public").lines;
  EXPECT_TRUE(std::all_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("HINT: DROP INDEX") != std::string::npos;
  }));
}

TEST(Storage, AnIndexThatIsBeingBuiltIsNot) {
  const Database db;
  db.run("CREATE TABLE t (i int); DROP ROLE IF EXISTS plain_one; CREATE ROLE plain_one LOGIN");
  Client writer(db.dsn());
  writer.run("BEGIN; INSERT INTO t VALUES (1)");  // the build waits for it
  Process build(
      {Cluster::programs() + "/psql", db.dsn(), "-c", "CREATE INDEX CONCURRENTLY slow ON t (i)"});
  ASSERT_TRUE(eventually(
      [&] { return db.ask("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "1"; }));
  EXPECT_EQ(invalid(look_at_storage(db)), 0);
  EXPECT_EQ(invalid(look(one_server(db.dsn("plain_one"), {}, "storage"))), 0)
      << "seen without further rights";
  // Its builder is gone. A lock that another session has on the table excuses nothing.
  db.run("SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index");
  ASSERT_TRUE(eventually([&] { return !build.running(); }));
  EXPECT_EQ(invalid(look_at_storage(db)), 1);
  writer.run("ROLLBACK");
}

TEST(Storage, AnIndexThatIsBeingDroppedIsNot) {
  const Database db;
  db.run("CREATE TABLE t (i int); CREATE INDEX going ON t (i)");
  Client reader(db.dsn());
  reader.run("BEGIN; SELECT count(*) FROM t");  // the drop waits for it
  Process drop({Cluster::programs() + "/psql", db.dsn(), "-c", "DROP INDEX CONCURRENTLY going"});
  ASSERT_TRUE(eventually(
      [&] { return db.ask("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "1"; }));
  EXPECT_EQ(invalid(look_at_storage(db)), 0);
  db.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'DROP INDEX%'");
  ASSERT_TRUE(eventually([&] { return !drop.running(); }));
  EXPECT_EQ(look_at_storage(db).violated(), "storage/public") << "left behind, half dropped";
}

/// The exporter watches the standby alone.
TEST(Storage, UnloggedTablesAreNotWatchedOnAStandbyAndNamedOnce) {
  Cluster primary;
  const Database db(primary);
  db.run(R"(CREATE TABLE kept (id int PRIMARY KEY); INSERT INTO kept VALUES (1);
    CREATE UNLOGGED TABLE passing (id int PRIMARY KEY, created_at timestamptz, kept int REFERENCES kept);
    CREATE TABLE p (i int PRIMARY KEY) PARTITION BY RANGE (i);
    CREATE UNLOGGED TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (9);)");
  const Findings before = look(one_server(db.dsn()));
  EXPECT_TRUE(before.has_object("row_counts/public.passing"));
  const Cluster standby{Cluster::StandbyOf{primary}};
  const Findings found = look(one_server(standby.dsn(db.name())), before.saved);
  EXPECT_EQ(found.violated(), "") << "the inventory knows them";
  EXPECT_FALSE(found.has_object("row_counts/public.passing"));
  EXPECT_FALSE(found.has_object("duplicates/public.passing.passing_pkey"));
  EXPECT_FALSE(found.has_object("orphans/public.passing.passing_kept_fkey"));
  EXPECT_FALSE(found.has_object("row_counts/public.p"));
  EXPECT_EQ(found.state("duplicates/public.kept.kept_pkey"), State::proven);
  const auto& lines = found.object("storage").lines;
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.ends_with("has no rows of unlogged tables: public.p, public.passing");
  }));
  EXPECT_EQ(found.collector("row_counts").state, before.collector("row_counts").state);
}

TEST(Storage, AnIndexThatWaitsForItsPartitionsIsToldNotJudged) {
  const Database db;
  db.run(R"(CREATE TABLE p (i int) PARTITION BY RANGE (i);
    CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (9); CREATE INDEX root ON ONLY p (i);)");
  ASSERT_EQ(db.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'root'::regclass"), "f");
  const Findings found = look_at_storage(db);
  EXPECT_EQ(invalid(found), 0);
  EXPECT_EQ(found.violated(), "");
  EXPECT_NE(found.object("storage/public").lines.at(0).find("public.root waits"),
            std::string::npos);
}

TEST(Storage, ASequenceThatARestoreLeftBehindIsFoundWithItsColumn) {
  const Database db;
  db.run(
      R"(CREATE TABLE serials (id serial); INSERT INTO serials SELECT FROM generate_series(1, 10);
    CREATE TABLE identities (id int GENERATED BY DEFAULT AS IDENTITY);
    INSERT INTO identities SELECT FROM generate_series(1, 10);
    CREATE SEQUENCE loose; CREATE TABLE defaults (id bigint DEFAULT nextval('loose'));
    INSERT INTO defaults SELECT FROM generate_series(1, 10);
    CREATE TABLE owners (id int); CREATE SEQUENCE owned OWNED BY owners.id; SELECT setval('owned', 10);
    INSERT INTO owners VALUES (10);
    CREATE TABLE sound (id serial); INSERT INTO sound SELECT FROM generate_series(1, 10);
    CREATE TABLE fresh (id serial);)");
  EXPECT_EQ(look_at_storage(db).violated(), "");
  db.run(R"(SELECT setval('serials_id_seq', 4); SELECT setval('identities_id_seq', 10, false);
    SELECT setval('loose', 1, false); INSERT INTO owners VALUES (11))");
  const Findings found = look_at_storage(db);
  EXPECT_EQ(behind(found, "serials"), 6) << "5 to 10";
  EXPECT_EQ(behind(found, "identities"), 1) << "10 itself comes next";
  EXPECT_EQ(behind(found, "defaults"), 10);
  EXPECT_EQ(behind(found, "owners"), 1);
  EXPECT_EQ(behind(found, "sound"), 0);
  EXPECT_EQ(behind(found, "fresh"), 0);
  EXPECT_EQ(found.violated(),
            "storage/public.defaults.id storage/public.identities.id storage/public.owners.id"
            " storage/public.serials.id");
}

TEST(Storage, SequencesOfOtherStepsAndWays) {
  const Database db;
  db.run(
      R"(CREATE SEQUENCE other; CREATE SEQUENCE tens INCREMENT 10 START 5; CREATE SEQUENCE down INCREMENT -1;
    CREATE SEQUENCE rounds MAXVALUE 3 CYCLE; CREATE SEQUENCE big START 9223372036854775806;
    CREATE TABLE t (tens int DEFAULT nextval('tens'), down int DEFAULT nextval('down'),
      rounds int DEFAULT nextval('rounds'), big bigint DEFAULT nextval('big'),
      shard bigint DEFAULT nextval('other') * 1000 + 7, code text DEFAULT 'x' || nextval('other'),
      twice int GENERATED ALWAYS AS (1 + 1) STORED);
    INSERT INTO t (tens, down, rounds, big) VALUES (4, 0, 3, 9223372036854775805);)");
  Findings found = look_at_storage(db);
  EXPECT_EQ(found.page.all("pg_integrity_sequence_behind_values").size(), 3U);
  EXPECT_EQ(found.violated(), "");
  db.run("INSERT INTO t (tens, down, rounds, big) VALUES (26, -3, 3, 9223372036854775807)");
  found = look_at_storage(db);
  EXPECT_EQ(behind(found, "t", "tens"), 3) << "5, 15, 25";
  EXPECT_EQ(behind(found, "t", "down"), 3);
  EXPECT_EQ(behind(found, "t", "big"), 2);
}

TEST(Storage, TheLargestStepIsTakenAsItIs) {
  const Database db;
  db.run(R"(CREATE SEQUENCE up INCREMENT 9223372036854775807;
    CREATE SEQUENCE down INCREMENT -9223372036854775808;
    CREATE TABLE t (up bigint DEFAULT nextval('up'), down bigint DEFAULT nextval('down'));
    INSERT INTO t VALUES (0, 0);)");
  Findings found = look_at_storage(db);
  EXPECT_EQ(behind(found, "t", "up"), 0) << "1 comes next";
  EXPECT_EQ(behind(found, "t", "down"), 0) << "-1 comes next";
  db.run("INSERT INTO t VALUES (5, -5)");
  found = look_at_storage(db);
  EXPECT_EQ(behind(found, "t", "up"), 1);
  EXPECT_EQ(behind(found, "t", "down"), 1);
}

TEST(Storage, ADefaultThatAddsTwoSequencesIsLetAlone) {
  const Database db;
  db.run(R"(CREATE SEQUENCE a; CREATE SEQUENCE b; CREATE SEQUENCE "it's 'one'";
    CREATE TABLE t (added bigint DEFAULT nextval('a') + nextval('b'),
      quoted bigint DEFAULT nextval('"it''s ''one''"'));
    INSERT INTO t VALUES (7, 3);)");
  const Findings found = look_at_storage(db);
  EXPECT_EQ(found.page.all("pg_integrity_sequence_behind_values").size(), 1U);
  EXPECT_EQ(behind(found, "t", "quoted"), 3);
}

TEST(Storage, ASequenceThatATextNamesIsFound) {
  const Database db;
  db.run(R"(CREATE SCHEMA "My Shop"; CREATE SEQUENCE old_seq; CREATE SEQUENCE "My Shop"."Odd 'seq'";
    CREATE TABLE t (bare int DEFAULT nextval('old_seq'::text),
      named int DEFAULT nextval(('public.Old_Seq'::text)::regclass),
      quoted bigint DEFAULT nextval('"My Shop"."Odd ''seq''"'::text),
      varying int DEFAULT nextval(('old_seq'::character varying)::text));
    INSERT INTO t VALUES (7, 6, 5, 4);)");
  Findings found = look_at_storage(db);
  EXPECT_EQ(behind(found, "t", "bare"), 7);
  EXPECT_EQ(behind(found, "t", "named"), 6);
  EXPECT_EQ(behind(found, "t", "quoted"), 5);
  EXPECT_EQ(behind(found, "t", "varying"), 4);
  db.run(R"(SELECT setval('old_seq', 7), setval('"My Shop"."Odd ''seq''"', 5))");
  EXPECT_EQ(look_at_storage(db).violated(), "");
}

TEST(Storage, ATextThatNamesSeveralSequencesIsJudgedAsFarAsItIsCertain) {
  const Database db;
  db.run(R"(CREATE SCHEMA a; CREATE SCHEMA b; CREATE SEQUENCE a.s; CREATE SEQUENCE b.s;
    CREATE TABLE t (id int DEFAULT nextval('s'::text)); INSERT INTO t VALUES (9);
    SELECT setval('a.s', 9))");
  Findings found = look_at_storage(db);
  EXPECT_EQ(found.reason("storage/public.t.id"), Reason::config) << "the search path decides";
  db.run("SELECT setval('a.s', 4)");
  found = look_at_storage(db);
  EXPECT_EQ(behind(found, "t"), 5) << "whichever it is";
  db.run("SELECT setval('a.s', 9), setval('b.s', 10)");
  EXPECT_EQ(behind(look_at_storage(db), "t"), 0);
}

TEST(Storage, AColumnThatOwnsTwoSequencesIsHeldAgainstBoth) {
  const Database db;
  db.run(R"(CREATE TABLE t (id int PRIMARY KEY); CREATE SEQUENCE s OWNED BY t.id;
    CREATE SEQUENCE old OWNED BY t.id; INSERT INTO t VALUES (9); SELECT setval('s', 9))");
  EXPECT_EQ(look_at_storage(db).reason("storage/public.t.id"), Reason::config);
  db.run("SELECT setval('s', 4)");
  EXPECT_EQ(behind(look_at_storage(db), "t"), 5);
  db.run("ALTER TABLE t ALTER id SET DEFAULT nextval('s'); SELECT setval('s', 9)");
  EXPECT_EQ(behind(look_at_storage(db), "t"), 0) << "the default tells which one";
}

TEST(Storage, TheUsualNameTiesASequenceButDoesNotCondemnIt) {
  const Database db;
  db.run(
      R"(CREATE SEQUENCE used_seq; CREATE TABLE vegetable (id bigint PRIMARY KEY, n int); CREATE SEQUENCE vegetable_seq INCREMENT 50;
    CREATE TABLE fruit (id bigint PRIMARY KEY); CREATE SEQUENCE fruit_id_seq;
    CREATE TABLE used (id bigint PRIMARY KEY, other bigint DEFAULT nextval('used_seq'));
    INSERT INTO vegetable SELECT generate_series(1, 50); INSERT INTO fruit VALUES (3);
    SELECT nextval('vegetable_seq'), setval('fruit_id_seq', 3);)");
  Findings found = look_at_storage(db);
  EXPECT_EQ(behind(found, "vegetable"), 0);
  EXPECT_EQ(behind(found, "fruit"), 0);
  EXPECT_FALSE(found.has_object("storage/public.vegetable.n"));
  EXPECT_FALSE(found.has_object("storage/public.used.id")) << "another column uses that sequence";
  EXPECT_EQ(found.violated(), "");
  db.run("INSERT INTO vegetable VALUES (200)");
  found = look_at_storage(db);
  EXPECT_EQ(found.reason("storage/public.vegetable.id"), Reason::config) << "a name is no proof";
  const std::string declared =
      "[[server.collectors.storage.sequences]]\ntable = \"vegetable\"\ncolumn = \"id\"\n";
  found = look_at_storage(db, declared + "sequence = \"public.vegetable_seq\"");
  EXPECT_EQ(behind(found, "vegetable"), 3);
  EXPECT_FALSE(look_at_storage(db, declared).has_object("storage/public.vegetable.id"));
  EXPECT_EQ(
      look_at_storage(db, declared + "sequence = \"none\"").reason("storage/public.vegetable.id"),
      Reason::missing);
}

TEST(Storage, AFunctionThatDrawsFromASequenceIsUnprovenUntilItIsDeclared) {
  const Database db;
  db.run(R"(CREATE SEQUENCE s; CREATE FUNCTION next_id() RETURNS bigint LANGUAGE sql AS
      $$ SELECT nextval('public.s') $$;
    CREATE FUNCTION plain() RETURNS bigint LANGUAGE sql AS $$ SELECT 1::bigint $$;
    CREATE FUNCTION draw() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN NEW.id := nextval('public.s'); RETURN NEW; END $$;
    CREATE TABLE t (id bigint DEFAULT next_id(), one bigint DEFAULT plain(), word text DEFAULT next_id());
    CREATE TABLE u (id bigint PRIMARY KEY, n int); INSERT INTO t VALUES (12, 1, ''); INSERT INTO u VALUES (12);
    CREATE TRIGGER draw BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION draw();)");
  Findings found = look_at_storage(db);
  EXPECT_EQ(found.reason("storage/public.t.id"), Reason::config);
  EXPECT_EQ(found.reason("storage/public.u.id"), Reason::config);
  EXPECT_FALSE(found.has_object("storage/public.t.one"));
  EXPECT_FALSE(found.has_object("storage/public.t.word"));
  EXPECT_FALSE(found.has_object("storage/public.u.n"));
  std::string declared;
  for (const char* table : {"t", "u"})
    declared += "[[server.collectors.storage.sequences]]\ntable = \"" + std::string(table) +
                "\"\ncolumn = \"id\"\nsequence = \"public.s\"\n";
  found = look_at_storage(db, declared);
  EXPECT_EQ(behind(found, "t"), 12);
  EXPECT_EQ(behind(found, "u"), 12);
  db.run("SELECT setval('s', 12)");
  EXPECT_EQ(look_at_storage(db, declared).violated(), "");
}

TEST(Storage, ASequenceOfASubscribedTableIsObserved) {
  const Database db;
  db.run(R"(CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (9);
    CREATE TABLE u (id serial PRIMARY KEY); INSERT INTO u VALUES (9);
    INSERT INTO t SELECT FROM generate_series(1, 3))");
  db.run("CREATE SUBSCRIPTION " + db.name() +
         " CONNECTION 'dbname=none' PUBLICATION p WITH (connect = false)");
  db.run(
      "INSERT INTO pg_subscription_rel SELECT oid, 't'::regclass, 'r' FROM pg_subscription"
      " WHERE subname = current_database()");
  const Findings found = look_at_storage(db);
  EXPECT_EQ(found.state("storage/public.t.id"), State::observed);
  EXPECT_EQ(found.value("pg_integrity_subscribed_sequence_behind_values", {{"table", "t"}}), 6);
  EXPECT_FALSE(behind(found, "t"));
  EXPECT_EQ(behind(found, "u"), 9);
  EXPECT_EQ(found.violated(), "storage/public.u.id");
  db.run("ALTER SUBSCRIPTION " + db.name() + " SET (slot_name = NONE); DROP SUBSCRIPTION " +
         db.name());
  EXPECT_EQ(look_at_storage(db).violated(), "storage/public.t.id storage/public.u.id");
}

TEST(Storage, ASequenceOfAPartitionedTableIsLookedAtOnce) {
  const Database db;
  db.run(R"(CREATE TABLE p (id serial, PRIMARY KEY (id)) PARTITION BY RANGE (id);
    CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (100);
    CREATE TABLE "Mixed Case" ("Id" serial); INSERT INTO "Mixed Case" VALUES (2); INSERT INTO p VALUES (7);)");
  const Findings found = look_at_storage(db);
  EXPECT_EQ(found.page.all("pg_integrity_sequence_behind_values").size(), 2U);
  EXPECT_EQ(behind(found, "p"), 7);
  EXPECT_EQ(behind(found, "Mixed Case", "Id"), 2);
}

TEST(Storage, ASequenceThatMayNotBeReadIsUnproven) {
  const Database db;
  db.run(R"(CREATE TABLE t (id serial); CREATE TABLE u (id serial); DROP ROLE IF EXISTS blind_three;
    CREATE ROLE blind_three LOGIN; GRANT SELECT ON t, u, u_id_seq TO blind_three)");
  const Findings found = look(one_server(db.dsn("blind_three"), {}, "storage"));
  EXPECT_EQ(found.reason("storage/public.t.id"), Reason::permission);
  EXPECT_EQ(found.state("storage/public.u.id"), State::proven);
}

TEST(Storage, WhichColumnsSequencesFeedIsAskedOncePerPass) {
  const Database db;
  db.run(R"(DO $$ BEGIN FOR i IN 1..40 LOOP
    EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY)', i); END LOOP; END $$)");
  db.run("INSERT INTO t1 DEFAULT VALUES; ANALYZE");  // so that no size is asked for
  const auto collector = collector_from(one_server(db.dsn(), {}, "storage"));
  OpenedSession session(db);
  StepSources from(*session);
  session->statements.clear();
  EXPECT_EQ(pass(*collector, from), 40) << "so many columns, one a step";
  const auto asked = [&](const std::string& what) {
    return std::count_if(
        session->statements.begin(), session->statements.end(),
        [&](const std::string& sql) { return sql.find(what) != std::string::npos; });
  };
  EXPECT_EQ(asked("pg_attrdef"), 1);
  EXPECT_EQ(asked("AS behind"), 40);
  EXPECT_LT(session->statements.size(), 40 + 10U) << "nothing else is asked for each column";
}

TEST(Storage, ALargeColumnWithoutIndexIsUnproven) {
  const Database db;
  db.run(R"(CREATE TABLE t (id serial); INSERT INTO t SELECT FROM generate_series(1, 5000);
    CREATE TABLE u (id serial PRIMARY KEY); INSERT INTO u SELECT FROM generate_series(1, 5000);)");
  const Findings found = look_at_storage(db, "[server.collectors.storage]\nexact_up_to = \"8kB\"");
  EXPECT_EQ(found.reason("storage/public.t.id"), Reason::too_large);
  EXPECT_EQ(behind(found, "u"), 0) << "through its index";
}

TEST(Storage, ACollationWhoseVersionChangedUnderAnIndexIsFound) {
  const Database db;
  db.run(
      R"(CREATE COLLATION german (provider = icu, locale = 'de'); CREATE COLLATION unused (provider = icu, locale = 'fr');
    CREATE COLLATION sound (provider = icu, locale = 'es');
    CREATE TABLE t (a text COLLATE german, b text COLLATE unused, c text COLLATE sound);
    CREATE INDEX ON t (a); CREATE INDEX ON t (c);)");
  EXPECT_EQ(look_at_storage(db).violated(), "");
  db.run("UPDATE pg_collation SET collversion = '1' WHERE collname IN ('german', 'unused')");
  Findings found = look_at_storage(db);
  EXPECT_EQ(found.value("pg_integrity_collation_mismatch", {{"collation", "german"}}), 1);
  EXPECT_EQ(found.value("pg_integrity_collation_mismatch", {{"collation", "sound"}}), 0);
  EXPECT_EQ(found.violated(), "storage/public.german");
  db.run("ALTER COLLATION german REFRESH VERSION");
  EXPECT_EQ(look_at_storage(db).violated(), "");
}

TEST(Storage, TheDatabasesOwnCollationCountsToo) {
  const Database db;
  if (db.cluster().major() < 15) GTEST_SKIP() << "databases have a version since 15";
  EXPECT_FALSE(look_at_storage(db).value("pg_integrity_collation_mismatch")) << "C has no version";
  db.run(
      "CREATE TABLE t (a text, i int PRIMARY KEY);"
      "UPDATE pg_database SET datcollversion = '1' WHERE datname = current_database()");
  EXPECT_FALSE(look_at_storage(db).value("pg_integrity_collation_mismatch"))
      << "no index is sorted by it";
  db.run("CREATE INDEX ON t (a)");
  EXPECT_EQ(look_at_storage(db).violated(), "storage/pg_catalog.default");
}

}  // namespace
}  // namespace pg_integrity::test::storage_test
