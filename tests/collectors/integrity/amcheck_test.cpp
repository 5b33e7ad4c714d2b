#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "collectors/base/errors.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::amcheck_test {
namespace {

Findings check_indexes(const Database& database, const std::string& more = {},
                       const std::string& user = "postgres",
                       std::shared_ptr<const SavedEvidence> record = nullptr) {
  return look(one_server(database.dsn(user), more, "amcheck"), std::move(record));
}

std::optional<double> corrupt(const Findings& found, const std::string& index) {
  return found.value("pg_integrity_index_corrupt", {{"schema", "public"}, {"index", index}});
}

/// Overwrites the first occurrence of a text in a relation's file, as a failing disk would.
void overwrite(const Database& database, const std::string& relation, const std::string& old,
               const std::string& with) {
  Cluster& cluster = database.cluster();
  const std::string file = cluster.data_directory() + "/" +
                           database.ask("SELECT pg_relation_filepath('" + relation + "')");
  cluster.stop();
  {
    std::fstream pages(file, std::ios::in | std::ios::out | std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(pages), {}};
    const std::size_t at = bytes.find(old);
    ASSERT_NE(at, std::string::npos) << old << " is not in " << file;
    pages.clear();
    pages.seekp(static_cast<std::streamoff>(at));
    pages << with;
  }
  cluster.start();
}

const std::string kOutside =
    std::string("\xf8\xff\xc8\0", 4);              ///< an item that points behind the page
const std::string kUnused = std::string(4, '\0');  ///< one without a row

/// Pages have checksums by default since PostgreSQL 18. They would find the damage before amcheck.
const std::map<std::string, std::string> kWithoutChecksums{{"ignore_checksum_failure", "on"}};

/// Replaces the first item of a page.
void damage_first_item(const Database& database, const std::string& relation, int page,
                       const std::string& item = kOutside) {
  Cluster& cluster = database.cluster();
  const std::string file = cluster.data_directory() + "/" +
                           database.ask("SELECT pg_relation_filepath('" + relation + "')");
  cluster.stop();
  {
    constexpr std::streamoff kPage = 8192;
    constexpr std::streamoff kHeader = 24;
    std::fstream pages(file, std::ios::in | std::ios::out | std::ios::binary);
    pages.seekp(page * kPage + kHeader);
    pages << item;
  }
  cluster.start();
}

constexpr const char* kNames = R"(
  CREATE TABLE names (name text PRIMARY KEY, number int);
  INSERT INTO names SELECT 'name-' || to_char(i, 'FM0000'), i FROM generate_series(1, 1000) i;
  CREATE INDEX numbers ON names (number);)";

TEST(Amcheck, WithoutTheExtensionNothingIsJudged) {
  const Database db;
  db.run(kNames);
  const Findings found = check_indexes(db);
  EXPECT_EQ(found.value("pg_integrity_amcheck_usable"), 0);
  EXPECT_TRUE(found.page.all("pg_integrity_index_corrupt").empty());
  EXPECT_EQ(found.state("amcheck"), State::observed);
  EXPECT_EQ(found.collector("amcheck").state, State::observed) << "nobody is paged";
  ASSERT_EQ(found.object("amcheck").lines.size(), 1U);
  EXPECT_NE(found.object("amcheck").lines[0].find("HINT: the extension amcheck is not installed"),
            std::string::npos);
}

TEST(Amcheck, WithoutTheRightNothingIsJudged) {
  const Database db;
  db.run(kNames);
  db.run(
      "CREATE EXTENSION amcheck; DROP ROLE IF EXISTS plain_checker;"
      "CREATE ROLE plain_checker LOGIN");
  Findings found = check_indexes(db, {}, "plain_checker");
  EXPECT_EQ(found.value("pg_integrity_amcheck_usable"), 0);
  EXPECT_NE(found.object("amcheck").lines.at(0).find("GRANT EXECUTE ON FUNCTION public.bt_index"),
            std::string::npos);
  db.run("GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean) TO plain_checker");
  found = check_indexes(db, {}, "plain_checker");
  EXPECT_EQ(found.value("pg_integrity_amcheck_usable"), 1);
  EXPECT_EQ(corrupt(found, "names_pkey"), 0) << "it needs no right to read the table";
}

TEST(Amcheck, SoundIndexesAreProven) {
  const Database db;
  db.run("CREATE SCHEMA \"ext's\"; CREATE EXTENSION amcheck SCHEMA \"ext's\"");
  db.run(kNames);
  db.run(R"(CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (9);
    CREATE TABLE left_out (id int PRIMARY KEY);
    CREATE INDEX hashed ON names USING hash (number))");
  for (const char* more : {"", "[server.collectors.amcheck]\nheapallindexed = true"}) {
    const Findings found = check_indexes(db, "exclude = [\"public.left*\"]\n" + std::string(more));
    EXPECT_EQ(found.page.all("pg_integrity_index_corrupt", {{"schema", "public"}}).size(), 4U)
        << "and that of the TOAST table";
    EXPECT_GT(found.page.all("pg_integrity_index_corrupt", {{"schema", "pg_catalog"}}).size(),
              100U);
    EXPECT_EQ(corrupt(found, "(TOAST)"), 0);
    for (const char* index : {"names_pkey", "numbers", "p_1_pkey"})
      EXPECT_EQ(corrupt(found, index), 0) << index;
    EXPECT_EQ(found.collector("amcheck").state, State::proven);
    if (db.cluster().major() < 14) continue;
    for (const char* table : {"names", "p_1"})
      EXPECT_EQ(found.state("amcheck/public." + std::string(table)), State::proven) << table;
    EXPECT_FALSE(found.has_object("amcheck/public.left_out"));
  }
}

TEST(Amcheck, IndexesOfToastTablesViewsAndCatalogsAreChecked) {
  Cluster cluster(kWithoutChecksums);
  const Database db(cluster);
  db.run(
      R"(CREATE EXTENSION amcheck; CREATE TABLE t (i int PRIMARY KEY, body text);
    ALTER TABLE t ALTER body SET STORAGE EXTERNAL;
    INSERT INTO t SELECT i, repeat(i::text, 3000) FROM generate_series(1, 50) i;
    CREATE MATERIALIZED VIEW v AS SELECT 'view-' || to_char(i, 'FM0000') AS name FROM generate_series(1, 500) i;
    CREATE UNIQUE INDEX v_name ON v (name); CREATE ROLE nobody_at_all; CHECKPOINT)");
  EXPECT_EQ(check_indexes(db).violated(), "");
  overwrite(db, "v_name", "view-0100", "zzzz-0100");
  const std::string toast = db.ask(
      "SELECT indexrelid::regclass FROM pg_index WHERE indrelid ="
      " (SELECT reltoastrelid FROM pg_class WHERE relname = 't')");
  damage_first_item(db, toast, 1);
  damage_first_item(db, "pg_description_o_c_o_index", 1);
  const Findings found = check_indexes(db, "[server.collectors.amcheck]\nheaps = false");
  EXPECT_EQ(found.violated(),
            "amcheck/pg_catalog.pg_description.pg_description_o_c_o_index amcheck/public.t.(TOAST)"
            " amcheck/public.v.v_name");
}

TEST(Amcheck, ADamagedRowIsFoundInItsTable) {
  Cluster cluster(kWithoutChecksums);
  const Database db(cluster);
  if (cluster.major() < 14) GTEST_SKIP() << "verify_heapam came with version 14";
  db.run(
      R"(CREATE EXTENSION amcheck; CREATE TABLE t (i int PRIMARY KEY, body text);
    ALTER TABLE t ALTER body SET STORAGE EXTERNAL;
    INSERT INTO t SELECT i, repeat(i::text, 3000) FROM generate_series(1, 50) i;
    CREATE TABLE long (i int, pad text); INSERT INTO long SELECT i, repeat('x', 2000) FROM generate_series(1, 9000) i;
    CREATE TABLE sound (i int, pad text); INSERT INTO sound SELECT i, repeat('x', 2000) FROM generate_series(1, 9000) i;
    ANALYZE long, sound; CREATE ROLE heap_blind LOGIN; CHECKPOINT)");
  ASSERT_EQ(db.ask("SELECT relpages > 2048 FROM pg_class WHERE relname = 'long'"), "t") << "slices";
  Findings found = check_indexes(db);
  EXPECT_EQ(found.violated(), "");
  EXPECT_EQ(found.value("pg_integrity_heap_corrupt", {{"table", "long"}}), 0);
  damage_first_item(db, "long", 0);
  const std::string toast =
      db.ask("SELECT reltoastrelid::regclass FROM pg_class WHERE oid = 't'::regclass");
  damage_first_item(db, toast, 0, kUnused);
  found = check_indexes(db);
  EXPECT_EQ(found.violated(), "amcheck/public.long amcheck/public.t");
  EXPECT_NE(found.object("amcheck/public.long").lines.at(0).find("block 0"), std::string::npos);
  EXPECT_NE(found.object("amcheck/public.t").lines.at(0).find("toast value"), std::string::npos);
  // A role that may no longer check them has not disproved the finding.
  EXPECT_EQ(check_indexes(db, {}, "heap_blind", found.saved).violated(),
            "amcheck/public.long amcheck/public.t");
  db.run("TRUNCATE long, t");
  EXPECT_EQ(check_indexes(db, {}, "postgres", found.saved).violated(), "");
}

TEST(Amcheck, AHeapThatIsTooLargeIsListedAndNotJudged) {
  const Database db;
  if (db.cluster().major() < 14) GTEST_SKIP() << "verify_heapam came with version 14";
  db.run("CREATE EXTENSION amcheck");
  db.run(kNames);
  db.run("ANALYZE names");
  const Findings found = check_indexes(db, "[server.collectors.amcheck]\ncheck_up_to = \"30kB\"");
  EXPECT_FALSE(found.has_object("amcheck/public.names"));
  const auto& lines = found.object("amcheck").lines;
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("above check_up_to and not watched") != std::string::npos;
  }));
}

TEST(Amcheck, GinIndexesAreCheckedSince18) {
  Cluster cluster(kWithoutChecksums);
  const Database db(cluster);
  if (cluster.major() < 18) GTEST_SKIP() << "gin_index_check came with version 18";
  db.run(
      R"(CREATE EXTENSION amcheck; CREATE TABLE t (tags text[]); CREATE INDEX gin ON t USING gin (tags);
    INSERT INTO t SELECT ARRAY['tag-' || to_char(i, 'FM0000')] FROM generate_series(1, 2000) i; CHECKPOINT)");
  db.run("VACUUM t");
  db.run("CHECKPOINT");
  EXPECT_EQ(corrupt(check_indexes(db), "gin"), 0);
  overwrite(db, "gin", "tag-0100", "zzz-0100");
  EXPECT_EQ(check_indexes(db).violated(), "amcheck/public.t.gin");
}

TEST(Amcheck, AnIndexWhosePagesWereDamagedIsFoundAlone) {
  Cluster cluster;
  const Database db(cluster);
  db.run("CREATE EXTENSION amcheck; CREATE ROLE nobody_special LOGIN; CHECKPOINT");
  db.run(kNames);
  overwrite(db, "names_pkey", "name-0100", "zzzz-0100");
  const Findings found = check_indexes(db);
  EXPECT_EQ(found.violated(), "amcheck/public.names.names_pkey");
  EXPECT_EQ(corrupt(found, "names_pkey"), 1);
  EXPECT_EQ(corrupt(found, "numbers"), 0);
  const auto& lines = found.object("amcheck/public.names.names_pkey").lines;
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("invariant violated for index"), std::string::npos) << lines[0];

  // A role that may no longer check the index has not disproved the finding.
  const Findings blind = check_indexes(db, {}, "nobody_special", found.saved);
  EXPECT_EQ(blind.value("pg_integrity_amcheck_usable"), 0);
  EXPECT_EQ(blind.violated(), "amcheck/public.names.names_pkey");

  db.run("REINDEX INDEX names_pkey");
  const Findings repaired = check_indexes(db, {}, "postgres", found.saved);
  EXPECT_EQ(repaired.violated(), "");
  EXPECT_EQ(corrupt(repaired, "names_pkey"), 0);
}

TEST(Amcheck, ARowWithoutAnEntryIsFoundWhereTheHeapIsReadToo) {
  const Database db;
  db.run("CREATE EXTENSION amcheck");
  db.run(kNames);
  const std::string ready = " WHERE indexrelid = 'numbers'::regclass";
  db.run("UPDATE pg_index SET indisready = false" + ready);
  db.run("INSERT INTO names VALUES ('unseen', 7000)");
  db.run("UPDATE pg_index SET indisready = true" + ready);
  EXPECT_EQ(check_indexes(db).violated(), "");
  EXPECT_EQ(check_indexes(db, "[server.collectors.amcheck]\nheapallindexed = true").violated(),
            "amcheck/public.names.numbers");
}

TEST(Amcheck, WhatIsTooLargeOrLockedIsUnproven) {
  const Database db;
  db.run("CREATE EXTENSION amcheck");
  db.run(kNames);
  EXPECT_EQ(check_indexes(db, "[server.collectors.amcheck]\ncheck_up_to = \"1kB\"")
                .reason("amcheck/public.names.numbers"),
            Reason::too_large);
  Client locker(db.dsn());
  locker.run("BEGIN; LOCK TABLE names");
  EXPECT_EQ(check_indexes(db).reason("amcheck/public.names.numbers"), Reason::lock);
}

TEST(Amcheck, NobodysCodeIsRun) {
  const Database db;
  db.run(R"(CREATE EXTENSION amcheck; DROP ROLE IF EXISTS index_owner; CREATE ROLE index_owner;
    GRANT CREATE ON SCHEMA public TO index_owner; SET ROLE index_owner;
    CREATE FUNCTION evil(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
      BEGIN IF current_user <> session_user THEN RETURN 1; END IF; RAISE EXCEPTION 'called'; END $$;
    CREATE TABLE trap (id int PRIMARY KEY); INSERT INTO trap VALUES (1);
    CREATE INDEX planted ON trap (evil(id));)");
  const Findings found = check_indexes(db, "[server.collectors.amcheck]\nheapallindexed = true");
  EXPECT_EQ(found.reason("amcheck/public.trap.planted"), Reason::unsafe);
  EXPECT_EQ(corrupt(found, "trap_pkey"), 0);
  db.run("DROP OWNED BY index_owner CASCADE; DROP ROLE index_owner");
}

TEST(Amcheck, AFunctionOfThatNameIsNotTheExtensions) {
  const Database db;
  db.run(kNames);
  db.run(R"(CREATE FUNCTION bt_index_check(regclass, boolean) RETURNS void LANGUAGE sql AS '')");
  EXPECT_EQ(check_indexes(db).value("pg_integrity_amcheck_usable"), 0);
}

}  // namespace
}  // namespace pg_integrity::test::amcheck_test
