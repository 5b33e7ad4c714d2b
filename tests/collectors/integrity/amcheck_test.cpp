#include <gtest/gtest.h>

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
    EXPECT_EQ(found.page.all("pg_integrity_index_corrupt").size(), 3U);
    for (const char* index : {"names_pkey", "numbers", "p_1_pkey"})
      EXPECT_EQ(corrupt(found, index), 0) << index;
    EXPECT_EQ(found.collector("amcheck").state, State::proven);
  }
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
