// Tables that others inherit from hold what their users see. A hypertable of TimescaleDB is such a
// table, and its chunks inherit from it.
#include <gtest/gtest.h>

#include <algorithm>

#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::inherited_tables_test {
namespace {

constexpr const char* kMetering = R"(
  CREATE TABLE device (id int PRIMARY KEY); INSERT INTO device SELECT generate_series(1, 9);
  CREATE TABLE metering (device int REFERENCES device, created_at timestamptz NOT NULL, n serial);
  CREATE SCHEMA chunks;
  CREATE TABLE chunks.c_1 (CHECK (created_at < '2026-06-01'), FOREIGN KEY (device) REFERENCES device)
    INHERITS (metering);
  CREATE TABLE chunks.c_2 (FOREIGN KEY (device) REFERENCES device) INHERITS (metering);
  INSERT INTO chunks.c_1 SELECT 1 + i % 9, '2026-01-01' FROM generate_series(1, 100) i;
  INSERT INTO chunks.c_2 SELECT 1 + i % 9, now() - interval '27 days' FROM generate_series(1, 50) i;)";

LabelSet table(const std::string& name) {
  return {{"schema", "public"}, {"table", name}};
}

std::string drop_chunk(const std::string& name) {
  return "DROP TABLE chunks." + name;
}

TEST(InheritedTables, HoldTheRowsOfTheirHeirsOnce) {
  const Database db;
  db.run(kMetering);
  const Findings found = look(one_server(
      db.dsn(),
      "[[server.collectors.row_counts.limits]]\ntable = \"metering\"\nmin_rows = 100\n"
      "[[server.collectors.freshness.tables]]\ntable = \"metering\"\ncolumn = \"created_at\"\n"
      "max_age = \"60d\"\n"));
  EXPECT_EQ(found.value("pg_integrity_table_rows", table("metering")), 150);
  EXPECT_EQ(found.page.all("pg_integrity_table_rows").size(), 2U) << "device and metering";
  EXPECT_EQ(found.state("row_counts/public.metering"), State::proven);
  EXPECT_NEAR(found.value("pg_integrity_table_last_entry_age_seconds", table("metering")).value(),
              27 * 86400, 60);
  EXPECT_EQ(found.state("freshness/public.metering.created_at"), State::proven);
  EXPECT_EQ(found.page.all("pg_integrity_table_future_rows").size(), 1U);
  EXPECT_EQ(found.page.all("pg_integrity_orphaned_rows").size(), 1U);
  EXPECT_EQ(found.page.all("pg_integrity_sequence_behind_values").size(), 1U);
  EXPECT_EQ(found.violated(), "");
}

TEST(InheritedTables, AreFoundDamagedInAnyHeir) {
  const Database db;
  db.run(kMetering);
  db.run(
      "SET session_replication_role = replica;"
      "INSERT INTO chunks.c_2 VALUES (77, now() + interval '3 days', 5000)");
  const Findings found = look(one_server(db.dsn()));
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", {{"constraint", "metering_device_fkey"}}), 1);
  EXPECT_EQ(found.value("pg_integrity_table_future_rows", table("metering")), 1);
  EXPECT_GT(found.value("pg_integrity_sequence_behind_values", table("metering")), 4000);
}

TEST(InheritedTables, LoseHeirsWithoutAFinding) {
  const Database db;
  db.run(kMetering);
  db.run(
      "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
      "CREATE TRIGGER note AFTER INSERT ON metering FOR EACH ROW EXECUTE FUNCTION note();"
      "CREATE TRIGGER note AFTER INSERT ON chunks.c_1 FOR EACH ROW EXECUTE FUNCTION note()");
  const std::string toml =
      one_server(db.dsn(), "[server.collectors.inventory]\nlearn_after = \"0s\"\n");
  const Findings before = look(toml);
  EXPECT_EQ(before.value("pg_integrity_inventory", {{"type", "tables"}}), 2);
  EXPECT_EQ(before.value("pg_integrity_inventory", {{"type", "foreign_keys"}}), 1);
  EXPECT_EQ(before.value("pg_integrity_inventory", {{"type", "triggers"}}), 1);
  db.run(drop_chunk("c_1"));
  const Findings after = look(toml, before.saved);
  EXPECT_EQ(after.violated(), "");
  EXPECT_EQ(after.state("inventory/tables"), State::proven);
  EXPECT_EQ(after.state("inventory/triggers"), State::proven);
  EXPECT_EQ(after.value("pg_integrity_table_rows", table("metering")), 50);
}

TEST(InheritedTables, HeirsThatAreConfiguredAreWatchedThemselves) {
  const Database db;
  db.run(kMetering);
  const Findings found = look(
      one_server(db.dsn(),
                 "[[server.collectors.row_counts.limits]]\nschema = \"chunks\"\ntable = "
                 "\"c_2\"\nmin_rows = 51\n"
                 "[[server.collectors.freshness.tables]]\nschema = \"chunks\"\ntable = \"c_1\"\n"
                 "column = \"created_at\"\nmax_age = \"1h\"\n"));
  EXPECT_EQ(found.violated(), "freshness/chunks.c_1.created_at row_counts/chunks.c_2");
}

TEST(InheritedTables, ADeclaredReferenceIsReadWithHeirsOnBothSidesAndAKeyAsPostgresHasIt) {
  const Database db;
  db.run(R"(CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE parent_1 () INHERITS (parent);
    CREATE TABLE child (id int CONSTRAINT key REFERENCES parent); CREATE TABLE child_1 () INHERITS (child);
    INSERT INTO parent VALUES (1); INSERT INTO parent_1 VALUES (2);
    INSERT INTO child VALUES (1); INSERT INTO child_1 VALUES (2), (3), (4);
    SET session_replication_role = replica; INSERT INTO child VALUES (2);)");
  const Findings found = look(one_server(
      db.dsn(),
      "[[server.collectors.orphans.references]]\nname = \"declared\"\ntable = \"child\"\n"
      "columns = [\"id\"]\nreferenced_table = \"parent\"\nreferenced_columns = [\"id\"]\n",
      "orphans"));
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", {{"constraint", "declared"}}), 2);
  EXPECT_EQ(found.value("pg_integrity_orphaned_rows", {{"constraint", "key"}}), 1);
  const auto& lines = found.object("orphans/public.child.key").lines;
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const auto& line) { return line.find("inherit") != line.npos; }),
            2);
}

TEST(InheritedTables, ADeclaredKeyIsReadWithHeirsAndAnIndexAlone) {
  const Database db;
  db.run(
      R"(CREATE TABLE base (id int PRIMARY KEY); CREATE TABLE heir (PRIMARY KEY (id)) INHERITS (base);
    INSERT INTO base VALUES (1); INSERT INTO heir VALUES (1);)");
  const Findings found = look(
      one_server(db.dsn(),
                 "[[server.collectors.duplicates.keys]]\nname = \"declared\"\ntable = \"base\"\n"
                 "columns = [\"id\"]\n",
                 "duplicates"));
  EXPECT_EQ(found.value("pg_integrity_duplicate_rows", {{"key", "declared"}}), 1);
  EXPECT_EQ(found.violated(), "duplicates/public.base.declared");
}

TEST(InheritedTables, ASequenceOfAnHeirsOwnSaysNothingAboutItsParents) {
  const Database db;
  db.run(R"(CREATE TABLE base (id serial PRIMARY KEY); CREATE TABLE heir () INHERITS (base);
    CREATE SEQUENCE own START 1000000; ALTER TABLE heir ALTER id SET DEFAULT nextval('own');
    INSERT INTO base DEFAULT VALUES; INSERT INTO heir DEFAULT VALUES; INSERT INTO heir VALUES (1000009);)");
  const Findings found = look(one_server(db.dsn(), "", "storage"));
  EXPECT_EQ(found.value("pg_integrity_sequence_behind_values", table("base")), 0);
  EXPECT_EQ(found.value("pg_integrity_sequence_behind_values", table("heir")), 9);
}

TEST(InheritedTables, AreReadWithTheRightsOfTheParentAlone) {
  const Database db;
  db.run(kMetering);
  db.run("DROP ROLE IF EXISTS meter; CREATE ROLE meter LOGIN; GRANT SELECT ON metering TO meter");
  const Findings found = look(one_server(db.dsn("meter"), "", "row_counts"));
  EXPECT_EQ(found.value("pg_integrity_table_rows", table("metering")), 150);
  db.run("DROP OWNED BY meter; DROP ROLE meter");
}

}  // namespace
}  // namespace pg_integrity::test::inherited_tables_test
