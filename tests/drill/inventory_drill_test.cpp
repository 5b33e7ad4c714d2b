// Drills that hold the copy against what the running exporter remembers of the
// source: real dumps, migrations in between, and backups that leave something
// out.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

#include "collectors/integrity/inventory_memory.h"
#include "exporter/evidence/evidence_section.h"
#include "exporter/evidence/state_file.h"
#include "tests/drill/drilled.h"
#include "tests/support/content.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::inventory_drill_test {
namespace {

class RememberedDrill : public Drilled, public ::testing::Test {
 protected:
  RememberedDrill() {
    database.run(
        "CREATE TABLE customer (id int PRIMARY KEY, created_at "
        "timestamptz NOT NULL DEFAULT now() "
        "- interval '1 day', mail text CONSTRAINT one_mail UNIQUE, "
        "CONSTRAINT has_at CHECK (mail "
        "LIKE '%@%'));"
        "CREATE TABLE ticket (id serial PRIMARY KEY, customer int "
        "CONSTRAINT of_customer REFERENCES "
        "customer, note text);"
        "CREATE INDEX by_customer ON ticket (customer); CREATE "
        "SEQUENCE numbers;"
        "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER stamped BEFORE INSERT ON ticket FOR EACH ROW "
        "EXECUTE FUNCTION stamp();"
        "INSERT INTO customer (id, mail) SELECT i, i || '@x' FROM "
        "generate_series(1, 20) i;"
        "INSERT INTO ticket (customer, note) SELECT 1 + i % 20, 'n' "
        "FROM generate_series(1, 90) i;"
        "ANALYZE");
  }

  /// Lets an exporter look at the source, and keeps what it remembers as if it
  /// had first looked so long ago.
  /// @param began before now, in seconds.
  /// @param seen of the newest pass, before now.
  void remember(double began, double seen = 0) const {
    const SystemClock clock;
    const auto known = state_on_record(records.path(), clock);
    const Findings found = look(one_server(database.dsn(), {}, "inventory"),
                                known.saved_at > 0 ? evidence_on_record(known, clock) : nullptr);
    SavedEvidence saved = *found.saved;
    for (auto& [id, collector] : saved.collectors) {
      if (id.collector != "inventory" || !collector.remembered) continue;
      inventory::Memory memory = inventory::memory_from(*collector.remembered).value();
      const UnixTime now = clock.unix_now();
      if (known.saved_at == 0) {
        memory.since = now - began;
        for (auto& [name, table] : memory.tables) {
          table.life.first = now - began;
          for (auto& item : table.items) item.life.first = now - began;
        }
        for (auto& [name, sequence] : memory.sequences) sequence.life.first = now - began;
      }
      memory.seen = now - seen;
      collector.remembered = std::make_shared<const std::string>(text_of(memory));
    }
    save_state(records.path(), {clock.unix_now(), sections_of(saved, clock), {}});
  }
  /// From now on nothing leads to production.
  void lose_production() const {
    const std::string toml = content_of(records.path() + "/exporter.toml");
    records.write("exporter.toml", std::regex_replace(toml, std::regex("port=[0-9]+"), "port=1"));
  }
  void expect(DrillOutcome outcome, const std::vector<std::string>& reasons) const {
    const Finished finished = drill();
    const DrillRecord newest = drills().back();
    EXPECT_EQ(newest.outcome, outcome) << reasons_of(newest) << finished.err;
    for (const std::string& reason : reasons)
      EXPECT_NE(reasons_of(newest).find(reason), std::string::npos) << reason << " in\n"
                                                                    << reasons_of(newest);
  }
};

TEST_F(RememberedDrill, AMigrationBetweenDumpAndDrillIsNoFault) {
  remember(2 * 86400);
  dump("a.dump");
  database.run(
      "CREATE TABLE younger (id int PRIMARY KEY, created_at "
      "timestamptz DEFAULT now() - interval "
      "'2 days'); INSERT INTO younger VALUES (1);"
      "ALTER TABLE ticket ADD COLUMN weight int; CREATE INDEX "
      "by_weight ON ticket (weight);"
      "ALTER TABLE ticket DROP CONSTRAINT of_customer; ALTER TABLE "
      "customer DROP CONSTRAINT has_at;"
      "CREATE SEQUENCE more_numbers");
  remember(0, -120);  // it goes on for two minutes
  expect(DrillOutcome::success, {});
}

TEST_F(RememberedDrill, WithoutTheMemoryAYoungTableLooksLikeAFault) {
  dump("a.dump");
  database.run(
      "CREATE TABLE younger (id int PRIMARY KEY, created_at "
      "timestamptz DEFAULT now() - interval "
      "'2 days'); INSERT INTO younger VALUES (1)");
  expect(DrillOutcome::failed, {"table public.younger of the source is not in the backup"});
}

TEST_F(RememberedDrill, WhatABackupLeavesOutIsNamed) {
  remember(2 * 86400);
  dump("a.dump", {"-Fc", "--exclude-table=ticket"});
  expect(DrillOutcome::failed, {"table public.ticket is not in the backup, it "
                                "had 90 rows; the exporter saw it in the "
                                "source from "});
  dump("a.dump", {"-Fc", "--exclude-table=numbers"});
  expect(DrillOutcome::failed, {"sequence public.numbers is not in the backup"});
  dump("a.dump", {"-Fc", "--section=pre-data", "--section=data"});
  expect(DrillOutcome::failed,
         {"primary_key public.customer.customer_pkey is not", "unique_key public.customer.one_mail",
          "foreign_key public.ticket.of_customer", "trigger public.ticket.stamped",
          "index public.ticket.by_customer"});
}

TEST_F(RememberedDrill, WhatIsLeftOutOnPurposeIsNotMissed) {
  remember(2 * 86400);
  configure("leaves_out = [\"public.ticket\", \"public.numbers\"]\n");
  dump("a.dump", {"-Fc", "--exclude-table=ticket", "--exclude-table=numbers",
                  "--exclude-table=ticket_id_seq"});
  expect(DrillOutcome::success, {});
}

TEST_F(RememberedDrill, TheMemoryNeedsNoWayToProduction) {
  remember(2 * 86400);
  dump("a.dump");
  lose_production();
  expect(DrillOutcome::unproven, {"none could be proven"});
  lose_production();
  const std::string toml = content_of(records.path() + "/exporter.toml");
  configure({});
  dump("a.dump", {"-Fc", "--exclude-table=ticket"});
  records.write("exporter.toml", toml);
  expect(DrillOutcome::failed, {"table public.ticket is not in the backup"});
}

TEST_F(RememberedDrill, WhatTheMemoryDoesNotReachIsUnproven) {
  dump("a.dump", {"-Fc", "--exclude-table=ticket"});
  remember(0);
  expect(DrillOutcome::unproven, {"the exporter remembers the source since "});
  std::filesystem::remove(records.path() + "/evidence.json");
  remember(30 * 86400, 10 * 86400);
  lose_production();
  expect(DrillOutcome::unproven,
         {"table public.ticket is not in the backup", ", which is before the backup"});
}

}  // namespace
}  // namespace pg_integrity::test::inventory_drill_test
