// Races for the moment between the judgement of a statement and its run. A role that may create
// objects changes a table as fast as it can, while the exporter's session reads it. The function
// that it plants takes a lock of the session that calls it, which outlives any error.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/ports/session.h"
#include "exporter/postgres/guarded_read.h"
#include "tests/support/cluster.h"
#include "tests/support/opened_session.h"

namespace pg_integrity::test::guarded_read_race_test {
namespace {

/// The number of reads in each race. tests/campaign races makes more.
int reads() {
  const char* wanted = std::getenv("PG_INTEGRITY_RACE_READS");
  return wanted == nullptr ? 40 : std::atoi(wanted);
}

struct Race {
  const char* name;
  std::vector<const char*> there;  ///< statements that plant the trap, each its own transaction
  std::vector<const char*> back;   ///< and that take it away
};

class Races : public ::testing::TestWithParam<Race> {
 protected:
  Races() {
    db_.run(
        "DROP ROLE IF EXISTS racer; CREATE ROLE racer LOGIN; GRANT CREATE ON SCHEMA public TO"
        " racer; GRANT CREATE ON DATABASE " +
        db_.name() + " TO racer");
    plant(
        "CREATE FUNCTION evil(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN"
        " IF session_user <> 'racer' THEN PERFORM pg_advisory_lock(4711, (random() * 1e9)::int); "
        "END IF;"
        " RETURN $1; END $$;"
        "CREATE SCHEMA shop; CREATE TABLE shop.t (id int); INSERT INTO shop.t VALUES (1), (2)");
  }
  ~Races() override { db_.run("DROP OWNED BY racer CASCADE; DROP ROLE racer"); }

  void plant(const std::string& sql) const { db_.run("SET SESSION AUTHORIZATION racer; " + sql); }

  const Database db_;
};

TEST_P(Races, OurSessionCallsNothing) {
  std::atomic<bool> over = false;
  std::atomic<int> turns = 0;
  std::thread racer([&] {
    Client client(db_.dsn("racer"));
    while (!over) {
      for (const char* sql : GetParam().there) client.run(sql);
      for (const char* sql : GetParam().back) client.run(sql);
      ++turns;
    }
  });
  OpenedSession session(db_);
  int read = 0, refused = 0;
  for (int i = 0; i < reads(); ++i) {
    try {
      const Rows rows = session->query(R"(SELECT count(*) AS rows FROM "shop"."t")", Access::heap);
      EXPECT_EQ(rows.only().number("rows"), 2);
      ++read;
    } catch (const SourceError&) {
      ++refused;
    }
  }
  over = true;
  racer.join();
  const std::string called =
      db_.ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 4711");
  EXPECT_EQ(called, "0");
  RecordProperty("read", read);
  RecordProperty("refused", refused);
  std::printf("%s: %d read, %d refused, called %s, %d turns\n", GetParam().name, read, refused,
              called.c_str(), turns.load());
}

/// Changes of the table itself, which our lock and the guard stop, and its indexes. PostgreSQL
/// knows of no index that the guard does not know of.
INSTANTIATE_TEST_SUITE_P(
    Tables, Races,
    ::testing::Values(
        Race{"view",
             {"ALTER TABLE shop.t RENAME TO old; CREATE VIEW shop.t AS SELECT id FROM shop.old"
              " WHERE evil(1) = 1"},
             {"DROP VIEW shop.t; ALTER TABLE shop.old RENAME TO t"}},
        Race{"table",
             {"ALTER TABLE shop.t RENAME TO old; CREATE TABLE shop.t (id int);"
              " CREATE INDEX ON shop.t ((id + evil(1))); INSERT INTO shop.t VALUES (1), (2)"},
             {"DROP TABLE shop.t; ALTER TABLE shop.old RENAME TO t"}},
        Race{"column",
             {"ALTER TABLE shop.t ADD COLUMN more int DEFAULT 1;"
              " CREATE INDEX i ON shop.t ((more + evil(1)))"},
             {"ALTER TABLE shop.t DROP COLUMN more"}},
        Race{"index", {"CREATE INDEX i ON shop.t ((id + evil(1)))"}, {"DROP INDEX shop.i"}},
        Race{"predicate",
             {"CREATE INDEX i ON shop.t (id) WHERE id > evil(0)"},
             {"DROP INDEX shop.i"}}),
    [](const auto& race) { return std::string(race.param.name); });

/// Extended statistics may be added, and a schema renamed, in spite of our lock, between the newest
/// judgement and the planning, which takes about a millisecond. SECURITY.md says so. These races
/// measure it, so tests/campaign races runs them alone.
INSTANTIATE_TEST_SUITE_P(
    DISABLED_Gaps, Races,
    ::testing::Values(
        Race{"schema",
             {"ALTER SCHEMA shop RENAME TO away", "CREATE SCHEMA shop",
              "CREATE TABLE shop.t (id int); CREATE INDEX ON shop.t ((id + evil(1)));"
              " INSERT INTO shop.t VALUES (1), (2)"},
             {"DROP SCHEMA shop CASCADE; ALTER SCHEMA away RENAME TO shop"}},
        Race{"statistics",
             {"CREATE STATISTICS shop.s ON (id + evil(1)), (id - evil(1)) FROM shop.t"},
             {"DROP STATISTICS shop.s"}}),
    [](const auto& race) { return std::string(race.param.name); });

}  // namespace
}  // namespace pg_integrity::test::guarded_read_race_test
