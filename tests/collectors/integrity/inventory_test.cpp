#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "tests/support/by_way_of_disk.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::inventory_test {
namespace {

constexpr const char* kAtOnce = "[server.collectors.inventory]\nlearn_after = \"0s\"\n";

/// The value of pg_integrity_inventory_lost.
std::optional<double> lost(const Findings& found, const std::string& type) {
  return found.value("pg_integrity_inventory_lost", {{"type", type}});
}

std::optional<double> there(const Findings& found, const std::string& type) {
  return found.value("pg_integrity_inventory", {{"type", type}});
}

/// The findings and lines of an object, one below the other.
std::string words(const Findings& found, const std::string& object) {
  std::string text;
  for (const auto* texts : {&found.object(object).findings, &found.object(object).lines})
    for (const std::string& line : *texts) text += line + "\n";
  return text;
}

#define EXPECT_SAYS(object, part)                                               \
  EXPECT_NE(words(found, object).find(part), std::string::npos) << "it says:\n" \
                                                                << words(found, object)
#define EXPECT_SILENT(object, part)                                             \
  EXPECT_EQ(words(found, object).find(part), std::string::npos) << "it says:\n" \
                                                                << words(found, object)

/// A shop whose things are learned by the first pass.
class Inventory : public ::testing::Test {
 protected:
  Inventory() {
    db.run(R"(CREATE TABLE customers (id int PRIMARY KEY, mail text NOT NULL,
        CONSTRAINT mail_key UNIQUE (mail), CONSTRAINT has_at CHECK (mail LIKE '%@%'));
      INSERT INTO customers SELECT i, i || '@example.org' FROM generate_series(1, 120) i;
      CREATE TABLE orders (id serial PRIMARY KEY, customer int NOT NULL
        CONSTRAINT orders_customer REFERENCES customers, span int4range,
        CONSTRAINT no_overlap EXCLUDE USING gist (span WITH &&));
      INSERT INTO orders (customer) SELECT generate_series(1, 30);
      CREATE UNIQUE INDEX one_mail ON customers (lower(mail));
      CREATE INDEX by_customer ON orders (customer);
      CREATE SEQUENCE tickets;
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
      CREATE TRIGGER note BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note();)");
  }

  /// One more pass, with the memory of those before.
  void pass(const std::string& more = {}) {
    found = look(one_server(db.dsn(), more + "\n" + kAtOnce, "inventory"), found.saved);
  }
  /// A pass before the statements, and one after them.
  void passes_around(const std::string& sql, const std::string& more = {}) {
    pass(more);
    db.run(sql);
    pass(more);
  }

  const Database db;
  Findings found;
};

TEST_F(Inventory, IsProvenWhereNothingIsLost) {
  pass();
  pass();
  EXPECT_EQ(found.violated(), "");
  for (const char* type : {"tables", "sequences", "primary_keys", "unique_keys", "foreign_keys",
                           "exclusions", "checks", "not_nulls", "triggers", "indexes"}) {
    EXPECT_EQ(lost(found, type), 0) << type;
    EXPECT_EQ(found.state("inventory/" + std::string(type)), State::proven) << type;
  }
  EXPECT_EQ(there(found, "tables"), 2);
  EXPECT_EQ(there(found, "foreign_keys"), 1);
  EXPECT_EQ(there(found, "triggers"), 1);
  EXPECT_EQ(there(found, "sequences"), 2);
  EXPECT_FALSE(found.value("pg_integrity_inventory_min", {{"type", "tables"}}));
  EXPECT_FALSE(found.value("pg_integrity_inventory_newest_loss_timestamp_seconds"));
}

TEST_F(Inventory, ADroppedTableIsLostWithItsNameAndItsRows) {
  passes_around("DROP TABLE orders");
  EXPECT_EQ(found.violated(), "");
  EXPECT_EQ(lost(found, "tables"), 1);
  EXPECT_EQ(found.reason("inventory/tables"), Reason::gone);
  EXPECT_SAYS("inventory/tables", "table public.orders is gone since 20");
  EXPECT_SAYS("inventory/tables", "it had 30 rows");
  for (const char* type : {"sequences", "primary_keys", "foreign_keys", "exclusions", "not_nulls",
                           "triggers", "indexes"})
    EXPECT_EQ(lost(found, type), 0) << type << " go with their table";
  EXPECT_NEAR(found.value("pg_integrity_inventory_newest_loss_timestamp_seconds").value(),
              SystemClock().unix_now(), 60);
  EXPECT_EQ(found.value("pg_integrity_unproven_objects", {{"reason", "gone"}}), 1);
}

TEST_F(Inventory, ANewTableDoesNotHideALostOne) {
  passes_around(
      "DROP TABLE orders; CREATE TABLE orders_2 (id int); INSERT INTO orders_2 VALUES (1)");
  EXPECT_EQ(there(found, "tables"), 2);
  EXPECT_EQ(lost(found, "tables"), 1);
  db.run("DROP TABLE customers");
  pass();
  EXPECT_EQ(lost(found, "tables"), 2);
  EXPECT_SAYS("inventory/tables", "table public.orders is gone");
  EXPECT_SAYS("inventory/tables", "table public.customers is gone");
}

TEST_F(Inventory, EachKeyOfATableThatRemainsIsMissed) {
  struct Case {
    const char* sql;
    const char* type;
    const char* name;
  };
  const Case cases[] = {
      {"ALTER TABLE customers DROP CONSTRAINT mail_key", "unique_keys",
       "unique_key public.customers.mail_key is gone"},
      {"ALTER TABLE customers DROP CONSTRAINT has_at", "checks",
       "check public.customers.has_at is gone"},
      {"ALTER TABLE orders ALTER customer DROP NOT NULL", "not_nulls",
       "not_null public.orders.customer is gone"},
      {"ALTER TABLE orders DROP CONSTRAINT orders_customer", "foreign_keys",
       "foreign_key public.orders.orders_customer is gone"},
      {"ALTER TABLE orders DROP CONSTRAINT no_overlap", "exclusions",
       "exclusion public.orders.no_overlap is gone"},
      {"ALTER TABLE orders DROP CONSTRAINT orders_pkey", "primary_keys",
       "primary_key public.orders.orders_pkey is gone"},
      {"DROP INDEX one_mail", "indexes", "unique_index public.customers.one_mail is gone"},
      {"DROP TRIGGER note ON orders", "triggers", "trigger public.orders.note is gone"},
      {"DROP SEQUENCE tickets", "sequences", "sequence public.tickets is gone"}};
  pass();
  for (const Case& one : cases) {
    db.run(one.sql);
    pass();
    EXPECT_EQ(lost(found, one.type), 1) << one.sql;
    EXPECT_EQ(found.reason("inventory/" + std::string(one.type)), Reason::gone) << one.sql;
    EXPECT_SAYS("inventory/" + std::string(one.type), one.name);
  }
  EXPECT_EQ(lost(found, "tables"), 0);
  EXPECT_EQ(found.violated(), "");
}

TEST_F(Inventory, ATriggerThatIsSwitchedOffIsMissedUntilItIsOnAgain) {
  passes_around("ALTER TABLE orders DISABLE TRIGGER note");
  EXPECT_EQ(found.reason("inventory/triggers"), Reason::gone);
  EXPECT_SAYS("inventory/triggers", "trigger public.orders.note is switched off since");
  db.run("ALTER TABLE orders ENABLE REPLICA TRIGGER note");
  pass();
  EXPECT_EQ(lost(found, "triggers"), 1) << "it does not fire in ordinary sessions";
  db.run("ALTER TABLE orders ENABLE ALWAYS TRIGGER note");
  pass();
  EXPECT_EQ(found.state("inventory/triggers"), State::proven);
}

TEST_F(Inventory, ATriggerThatNeverFiredIsNotMissed) {
  db.run("ALTER TABLE orders DISABLE TRIGGER note");
  passes_around("DROP TRIGGER note ON orders");
  EXPECT_EQ(found.state("inventory/triggers"), State::proven);
}

TEST_F(Inventory, ALossEndsWhenTheThingIsBack) {
  passes_around("ALTER TABLE orders RENAME TO elsewhere");
  EXPECT_EQ(lost(found, "tables"), 1);
  db.run("ALTER TABLE elsewhere RENAME TO orders");
  pass();
  EXPECT_EQ(lost(found, "tables"), 1) << "the other name is lost now";
  EXPECT_SILENT("inventory/tables", "public.orders is");
  EXPECT_SAYS("inventory/tables", "table public.elsewhere is gone");
}

TEST_F(Inventory, ATableThatComesBackWithoutAKeyHasLostTheKey) {
  passes_around("DROP TABLE orders");
  db.run("CREATE TABLE orders (id serial PRIMARY KEY, customer int NOT NULL, span int4range)");
  pass();
  EXPECT_EQ(found.state("inventory/tables"), State::proven);
  EXPECT_SAYS("inventory/foreign_keys", "foreign_key public.orders.orders_customer is gone");
  EXPECT_SAYS("inventory/triggers", "trigger public.orders.note is gone");
}

TEST_F(Inventory, AcceptanceByNameEndsALossForGood) {
  passes_around("DROP TABLE orders; DROP SEQUENCE tickets");
  pass(
      "accept = [{ object = \"inventory/table public.orders\", until = 2100-01-01, reason = "
      "\"moved\" }]");
  EXPECT_EQ(found.state("inventory/tables"), State::proven);
  EXPECT_SAYS("inventory/tables", "that is accepted");
  EXPECT_EQ(found.reason("inventory/sequences"), Reason::gone) << "nobody accepted that";
  pass(
      "accept = [{ object = \"inventory/sequence public.tickets\", database = \"another\", "
      "until = 2100-01-01, reason = \"moved\" }]");
  EXPECT_EQ(found.reason("inventory/sequences"), Reason::gone) << "not in this database";
  pass();
  EXPECT_EQ(found.state("inventory/tables"), State::proven);
}

TEST_F(Inventory, AcceptanceOfATypeHoldsForSoManyUntilItsDay) {
  passes_around("DROP TABLE orders");
  const std::string accept = "accept = [{ object = \"inventory/tables\", at_most = 1, until = ";
  pass(accept + "2100-01-01, reason = \"moved\" }]");
  EXPECT_EQ(found.state("inventory/tables"), State::accepted);
  pass(accept + "2020-01-01, reason = \"moved\" }]");
  EXPECT_EQ(found.reason("inventory/tables"), Reason::gone);
  db.run("DROP TABLE customers");
  pass(accept + "2100-01-01, reason = \"moved\" }]");
  EXPECT_EQ(found.reason("inventory/tables"), Reason::gone) << "two are more than one";
}

TEST_F(Inventory, AnEmptyTableOrAPlainIndexIsHistoryOnly) {
  db.run("CREATE TABLE empty (id int PRIMARY KEY)");
  passes_around("DROP TABLE empty; DROP INDEX by_customer");
  EXPECT_EQ(found.state("inventory/tables"), State::proven);
  EXPECT_EQ(found.state("inventory/indexes"), State::proven);
  EXPECT_SAYS("inventory/tables", "table public.empty, in which no row was ever seen");
  EXPECT_SAYS("inventory/indexes", "index public.orders.by_customer");
}

TEST_F(Inventory, ATableOnceSeenWithRowsIsNotEmpty) {
  pass();
  db.run("TRUNCATE orders");
  pass();
  db.run("DROP TABLE orders");
  pass();
  EXPECT_SAYS("inventory/tables", "it had 30 rows");
}

TEST_F(Inventory, ATableOfACopyHasTheRowsThatWereCounted) {
  const Database copy(Cluster::shared(), "inventory_copy", "TEMPLATE " + db.name());
  ASSERT_EQ(copy.ask("SELECT max(pg_stat_get_live_tuples(oid)) FROM pg_class WHERE relname IN "
                     "('orders', 'customers')"),
            "0");
  const std::string toml = one_server(copy.dsn(), kAtOnce);
  found = look(toml);
  found = look(toml, found.saved);
  copy.run("DROP TABLE orders");
  found = look(toml, found.saved);
  EXPECT_SAYS("inventory/tables", "it had 30 rows");
}

TEST_F(Inventory, WhatWasNotThereForLongIsNeverMissed) {
  const std::string toml = one_server(db.dsn(), "", "inventory");
  found = look(toml);
  db.run("CREATE TABLE staging AS SELECT generate_series(1, 9) i");
  found = look(toml, found.saved);
  db.run("DROP TABLE staging; DROP TABLE orders; ALTER TABLE customers DROP CONSTRAINT mail_key");
  found = look(toml, found.saved);
  for (const char* type : {"tables", "unique_keys"})
    EXPECT_EQ(found.state("inventory/" + std::string(type)), State::proven) << type;
}

TEST_F(Inventory, PartitionsAndHeirsComeAndGo) {
  db.run(R"(CREATE TABLE log (at int NOT NULL) PARTITION BY RANGE (at);
    CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10);
    CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM (10) TO (20);
    INSERT INTO log VALUES (1), (11);
    CREATE TABLE base (i int); CREATE TABLE heir () INHERITS (base); INSERT INTO heir VALUES (1);)");
  passes_around("DROP TABLE log_1; DROP TABLE heir; ALTER TABLE log DETACH PARTITION log_2");
  EXPECT_EQ(found.state("inventory/tables"), State::proven);
  pass();
  db.run("DROP TABLE log_2");
  pass();
  EXPECT_EQ(found.state("inventory/tables"), State::proven) << "it once was a partition";
  db.run("CREATE TABLE log_3 (at int NOT NULL); INSERT INTO log_3 VALUES (21)");
  pass();
  db.run("ALTER TABLE log ATTACH PARTITION log_3 FOR VALUES FROM (20) TO (30)");
  pass();
  EXPECT_EQ(found.state("inventory/tables"), State::proven);
  db.run("DROP TABLE log");
  pass();
  EXPECT_SAYS("inventory/tables", "table public.log is gone");
}

TEST_F(Inventory, ThingsThatTheConfigurationExcludesAreNotMissed) {
  passes_around("DROP TABLE orders", "");
  pass("exclude = [\"public.orders\"]");
  EXPECT_EQ(found.state("inventory/tables"), State::proven);
}

TEST_F(Inventory, NamesMayHaveAnyCharacters) {
  db.run(
      "CREATE TABLE \"a b|c;d\\e\nf\" (\"x y\" int NOT NULL); INSERT INTO \"a b|c;d\\e\nf\" VALUES "
      "(1)");
  pass();
  const SystemClock clock;
  db.run("ALTER TABLE \"a b|c;d\\e\nf\" ALTER \"x y\" DROP NOT NULL");
  found.saved = by_way_of_disk(*found.saved, clock, clock);
  pass();
  EXPECT_SAYS("inventory/not_nulls", "not_null public.a b|c;d\\e\nf.x y is gone");
  EXPECT_EQ(found.state("inventory/tables"), State::proven);
  db.run("DROP TABLE \"a b|c;d\\e\nf\"");
  pass();
  EXPECT_SAYS("inventory/tables", "table public.a b|c;d\\e\nf is gone");
}

TEST_F(Inventory, NamesMayHaveBytesThatAreNoUtf8) {
  const Database bytes(Cluster::shared(), "inventory_bytes",
                       "ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
  const std::string as_bytes = "SET client_encoding = 'SQL_ASCII'; ";
  bytes.run(as_bytes +
            "CREATE TABLE \"bad\xff\" AS SELECT 1 AS i; "
            "CREATE TABLE \"bad\xfe\" AS SELECT 1 AS i");
  const std::string toml = one_server(bytes.dsn(), kAtOnce, "inventory");
  const SystemClock clock;
  found = look(toml);
  found = look(toml, by_way_of_disk(*found.saved, clock, clock));
  EXPECT_EQ(lost(found, "tables"), 0);
  bytes.run(as_bytes + "DROP TABLE \"bad\xfe\"");
  found = look(toml, by_way_of_disk(*found.saved, clock, clock));
  EXPECT_EQ(lost(found, "tables"), 1);
  EXPECT_SAYS("inventory/tables", "table public.bad\xfe is gone");
}

TEST_F(Inventory, NamesOfMoreThanTwentyAreCounted) {
  db.run(
      "DO $$ BEGIN FOR i IN 1..25 LOOP EXECUTE format('CREATE TABLE many_%s AS SELECT 1 AS i', i); "
      "END LOOP; END $$");
  passes_around(
      "DO $$ BEGIN FOR i IN 1..25 LOOP EXECUTE format('DROP TABLE many_%s', i); END LOOP; END $$");
  EXPECT_EQ(lost(found, "tables"), 25);
  EXPECT_EQ(found.object("inventory/tables").lines.size(), 21U);
  EXPECT_EQ(found.object("inventory/tables").lines.back(), "and 5 more");
}

// Pinned things
// -------------------------------------------------------------------------------------

TEST_F(Inventory, ANumberBelowItsPinIsAViolation) {
  pass("expect = { tables = 3, foreign_keys = 1 }");
  EXPECT_EQ(found.violated(), "inventory/tables");
  EXPECT_EQ(found.value("pg_integrity_inventory_min", {{"type", "tables"}}), 3);
  pass("expect = { tables = 2 }");
  EXPECT_EQ(found.violated(), "");
}

TEST_F(Inventory, APinnedThingIsViolatedWhileItIsMissing) {
  const std::string pin =
      "expect = { objects = [\"table public.orders\", \"table public.nowhere\"] }";
  pass(pin);
  EXPECT_EQ(found.violated(), "inventory/table public.nowhere");
  EXPECT_SAYS("inventory/table public.nowhere", "table public.nowhere is missing");
  db.run("DROP TABLE orders; CREATE TABLE nowhere (i int)");
  pass(pin);
  EXPECT_EQ(found.violated(), "inventory/table public.orders");
  EXPECT_EQ(there(found, "table public.orders"), 0);
  EXPECT_EQ(found.state("inventory/tables"), State::proven) << "a cause is told once";
  pass(pin +
       "\naccept = [{ object = \"inventory/table public.orders\", at_most = 1, "
       "until = 2100-01-01, reason = \"moved\" }]");
  EXPECT_EQ(found.state("inventory/table public.orders"), State::accepted);
  db.run("CREATE TABLE orders (i int)");
  pass(pin);
  EXPECT_EQ(found.violated(), "");
}

TEST_F(Inventory, APinnedTriggerIsViolatedWhileItIsSwitchedOff) {
  const std::string pin =
      "expect = { objects = [\"trigger public.orders.note\","
      " \"foreign_key public.orders.*\"] }";
  passes_around("ALTER TABLE orders DISABLE TRIGGER ALL", pin);
  EXPECT_EQ(found.violated(),
            "inventory/foreign_key public.orders.* inventory/trigger public.orders.note");
  EXPECT_SAYS("inventory/trigger public.orders.note", "trigger public.orders.note is switched off");
  EXPECT_SAYS("inventory/foreign_key public.orders.*",
              "foreign_key public.orders.orders_customer is switched off");
}

TEST_F(Inventory, AGlobPinsEveryNameThatItMatched) {
  const std::string pin = "expect = { objects = [\"table public.order*\"] }";
  db.run("CREATE TABLE order_lines (i int)");
  passes_around("DROP TABLE order_lines; CREATE TABLE order_lines_2 (i int)", pin);
  EXPECT_EQ(found.violated(), "inventory/table public.order*");
  EXPECT_EQ(there(found, "table public.order*"), 2);
  EXPECT_EQ(found.value("pg_integrity_inventory_min", {{"type", "table public.order*"}}), 3);
  EXPECT_SAYS("inventory/table public.order*", "table public.order_lines is missing");
  pass(pin +
       "\naccept = [{ object = \"inventory/table public.order_lines\", until = 2100-01-01, "
       "reason = \"moved\" }]");
  EXPECT_EQ(found.violated(), "");
  pass("expect = { objects = [\"table public.nothing_*\"] }");
  EXPECT_EQ(found.violated(), "inventory/table public.nothing_*") << "it matches nothing";
}

// Migrations
// ----------------------------------------------------------------------------------------

/// The same shop with a table in which a tool notes its migrations.
class Migration : public Inventory {
 protected:
  Migration() {
    db.run(
        "CREATE TABLE schema_migrations (version text); INSERT INTO schema_migrations VALUES "
        "('1')");
  }
  static std::string row(const std::string& version) {
    return "; INSERT INTO schema_migrations VALUES ('" + version + "')";
  }
};

TEST_F(Migration, ExplainsATableThatIsDroppedWhole) {
  passes_around("DROP TABLE orders" + row("2"));
  EXPECT_EQ(found.state("inventory/tables"), State::proven);
  EXPECT_SAYS(
      "inventory/tables",
      "table public.orders, it had 30 rows; it went with a new row of public.schema_migrations");
  EXPECT_EQ(found.value("pg_integrity_unproven_objects", {{"reason", "gone"}}), std::nullopt);
}

TEST_F(Migration, ExplainsNothingWithoutANewRow) {
  passes_around("DROP TABLE orders");
  EXPECT_EQ(found.reason("inventory/tables"), Reason::gone);
  db.run("INSERT INTO schema_migrations VALUES ('2')");
  pass();
  EXPECT_EQ(found.reason("inventory/tables"), Reason::gone) << "the row came later";
}

TEST_F(Migration, ExplainsNothingWithARowOfAnEarlierPass) {
  passes_around("INSERT INTO schema_migrations VALUES ('2')");
  db.run("DROP TABLE orders");
  pass();
  EXPECT_EQ(found.reason("inventory/tables"), Reason::gone);
}

TEST_F(Migration, ExplainsNoKeyOrTriggerOfATableThatRemains) {
  passes_around(
      "DROP TABLE customers CASCADE; DROP TRIGGER note ON orders;"
      "ALTER TABLE orders ALTER customer DROP NOT NULL" +
      row("2"));
  EXPECT_EQ(found.state("inventory/tables"), State::proven);
  EXPECT_SAYS("inventory/foreign_keys", "foreign_key public.orders.orders_customer is gone");
  EXPECT_SAYS("inventory/triggers", "trigger public.orders.note is gone");
  EXPECT_SAYS("inventory/not_nulls", "not_null public.orders.customer is gone");
}

TEST_F(Migration, ExplainsNoLossOfTheAudit) {
  const std::string audit =
      "[[server.collectors.audit_triggers.audited]]\ntables = [\"public.ord*\"]\nfunction = "
      "\"public.note\"\n[[server.collectors.audit_logs.logs]]\nname = \"log\"\ntable = "
      "\"audit_log\"\n"
      "time = \"at\"\n";
  db.run("CREATE TABLE audit_log AS SELECT now() AS at");
  const auto pass_with_audit = [&] {
    found = look(one_server(db.dsn(), kAtOnce + audit, "inventory"), found.saved);
  };
  pass_with_audit();
  db.run("DROP TABLE orders; DROP TABLE audit_log" + row("2"));
  pass_with_audit();
  EXPECT_EQ(lost(found, "tables"), 2);
}

TEST_F(Migration, ExplainsNoLossOfAPinnedOrARedTable) {
  passes_around("DROP TABLE orders" + row("2"), "expect = { objects = [\"table public.orders\"] }");
  EXPECT_EQ(found.violated(), "inventory/table public.orders");

  const Database other;
  other.run(
      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int CONSTRAINT k REFERENCES p);"
      "CREATE TABLE migrations (id int); INSERT INTO migrations VALUES (1);"
      "SET session_replication_role = replica; INSERT INTO c VALUES (7)");
  const std::string toml = one_server(other.dsn(), kAtOnce);
  found = look(toml);
  ASSERT_EQ(found.violated(), "orphans/public.c.k");
  other.run("DROP TABLE c; INSERT INTO migrations VALUES (2)");
  found = look(toml, found.saved);
  EXPECT_EQ(found.reason("inventory/tables"), Reason::gone);
}

TEST_F(Migration, IsNotedByTheFormerVersionsRow) {
  db.run(
      "CREATE SCHEMA tool; CREATE TABLE tool.alembic_version (version_num text); "
      "INSERT INTO tool.alembic_version VALUES ('a1')");
  passes_around("DROP TABLE orders; UPDATE tool.alembic_version SET version_num = 'b2'");
  EXPECT_EQ(found.state("inventory/tables"), State::proven);
  EXPECT_SAYS("inventory/tables", "a new row of tool.alembic_version");
}

TEST_F(Migration, TablesOfATooLOfOnesOwnAreNamed) {
  db.run("CREATE TABLE steps (i int); INSERT INTO steps VALUES (1)");
  const auto pass_with = [&](const std::string& option) {
    found = look(one_server(db.dsn(), kAtOnce + option, "inventory"), found.saved);
  };
  pass_with("");
  db.run("DROP TABLE orders; INSERT INTO steps VALUES (2)");
  pass_with("");
  EXPECT_EQ(found.reason("inventory/tables"), Reason::gone);
  pass_with("migrations = [\"public.steps\"]\n");
  db.run("DROP TABLE customers CASCADE; INSERT INTO steps VALUES (3)");
  pass_with("migrations = [\"public.steps\"]\n");
  EXPECT_EQ(lost(found, "tables"), 1);
  EXPECT_SAYS("inventory/tables", "table public.customers, it had 120 rows; it went with");
}

TEST_F(Migration, AnOlderBackupIsNone) {
  db.run("INSERT INTO schema_migrations VALUES ('2')");
  passes_around("DROP TABLE orders; DELETE FROM schema_migrations WHERE version = '2'");
  EXPECT_EQ(found.reason("inventory/tables"), Reason::gone);
}

TEST_F(Migration, KeepsItsFingerprintWhileItsTableIsLocked) {
  pass();
  {
    Client migration(db.dsn());
    migration.run("BEGIN; LOCK TABLE schema_migrations");
    pass();
    migration.run("DROP TABLE orders" + row("2") + "; COMMIT");
  }
  pass();
  EXPECT_SAYS("inventory/tables", "it went with a new row of public.schema_migrations");
}

TEST_F(Migration, MayBeUnreadable) {
  db.run("DROP ROLE IF EXISTS no_migrations; CREATE ROLE no_migrations LOGIN");
  const std::string toml = one_server(db.dsn("no_migrations"), kAtOnce, "inventory");
  found = look(toml);
  db.run("DROP TABLE orders" + row("2"));
  found = look(toml, found.saved);
  EXPECT_EQ(found.reason("inventory/tables"), Reason::gone);
}

// Memory
// --------------------------------------------------------------------------------------------

TEST_F(Inventory, TheMemoryOutlivesARestartAndAnotherConfiguration) {
  passes_around("DROP TABLE orders");
  const SystemClock clock;
  found.saved = by_way_of_disk(*found.saved, clock, clock);
  pass("exclude = [\"public.nothing\"]\nexpect = { tables = 1 }");
  EXPECT_SAYS("inventory/tables", "table public.orders is gone");
}

TEST_F(Inventory, TheMemoryOutlivesAnotherCluster) {
  Cluster restored;
  const Database copy(restored, db.name());
  copy.run(
      "CREATE TABLE orders (id int); CREATE TABLE schema_migrations (version text);"
      "INSERT INTO schema_migrations SELECT generate_series(1, 9)");
  db.run("CREATE TABLE schema_migrations (version text)");
  pass();
  found = look(one_server(copy.dsn(), kAtOnce, "inventory"), found.saved);
  EXPECT_SAYS("inventory/tables", "table public.customers is gone");
  EXPECT_SILENT("inventory/tables", "went with a new row");
  EXPECT_SAYS("inventory/triggers", "trigger public.orders.note is gone");
}

TEST_F(Inventory, WithoutMemoryEverythingBeginsAnew) {
  pass();
  const double since = found.value("pg_integrity_memory_since_timestamp_seconds").value();
  EXPECT_NEAR(since, SystemClock().unix_now(), 60);
  auto older = std::make_shared<SavedEvidence>(*found.saved);
  SavedCollector& saved = older->collectors.at({"test", db.name(), "inventory"});
  std::string text = *saved.remembered;
  const std::string seconds = std::to_string(static_cast<long long>(since));
  text.replace(text.find(seconds), seconds.size(), "1000000000");
  saved.remembered = std::make_shared<const std::string>(text);
  found.saved = older;
  pass();
  EXPECT_EQ(found.value("pg_integrity_memory_since_timestamp_seconds"), 1e9);
  for (const char* damaged : {"", "nonsense", "v|1|2;", "v|1|2|3|0|;T|a;", "v|9|2|3|0|;"}) {
    auto broken = std::make_shared<SavedEvidence>(*found.saved);
    broken->collectors.at({"test", db.name(), "inventory"}).remembered =
        std::make_shared<const std::string>(damaged);
    const Findings anew = look(one_server(db.dsn(), kAtOnce, "inventory"), broken);
    EXPECT_NEAR(anew.value("pg_integrity_memory_since_timestamp_seconds").value(),
                SystemClock().unix_now(), 60)
        << damaged;
  }
}

TEST_F(Inventory, EachDatabaseHasItsOwn) {
  const Database other;
  other.run("CREATE TABLE orders AS SELECT 1 AS i");
  const std::string toml = one_server(
      db.dsn(), "databases = [\"" + db.name() + "\", \"" + other.name() + "\"]\n" + kAtOnce,
      "inventory");
  found = look(toml);
  other.run("DROP TABLE orders");
  found = look(toml, found.saved);
  EXPECT_EQ(
      found.value("pg_integrity_inventory_lost", {{"database", other.name()}, {"type", "tables"}}),
      1);
  EXPECT_EQ(
      found.value("pg_integrity_inventory_lost", {{"database", db.name()}, {"type", "tables"}}), 0);
}

TEST_F(Inventory, ByDefaultADayIsLearnedAndALossIsToldForAWeek) {
  RunningScheduler running(one_server(db.dsn(), "", "inventory"));
  const auto lost_tables = [&] { return lost(running.findings(), "tables"); };
  const auto looked_again_after = [&](Seconds time) {
    const auto passes = [&] {
      return running.page().value("pg_integrity_collector_last_success_timestamp_seconds");
    };
    const auto before = passes();
    running.clock.advance(time);
    return eventually([&] { return passes().value_or(0) > before.value_or(0) + 1; });
  };
  ASSERT_TRUE(eventually([&] { return lost_tables() == 0; }));
  ASSERT_TRUE(looked_again_after(Seconds(23 * 3600)));
  db.run("CREATE TABLE late AS SELECT 1 AS i");
  ASSERT_TRUE(looked_again_after(Seconds(2 * 3600)));
  db.run("DROP TABLE orders; DROP TABLE late");
  ASSERT_TRUE(looked_again_after(Seconds(400)));
  EXPECT_EQ(lost_tables(), 1);
  const auto newest = [&] {
    return running.page().value("pg_integrity_inventory_newest_loss_timestamp_seconds").value();
  };
  const double first = newest();
  db.run("DROP SEQUENCE tickets");
  ASSERT_TRUE(looked_again_after(Seconds(400)));
  EXPECT_EQ(newest(), first) << "losses of ten minutes are one event";
  db.run("DROP INDEX one_mail");
  ASSERT_TRUE(looked_again_after(Seconds(400)));
  EXPECT_GT(newest(), first + 600);
  ASSERT_TRUE(looked_again_after(Seconds(6 * 86400.0)));
  EXPECT_EQ(lost_tables(), 1);
  ASSERT_TRUE(looked_again_after(Seconds(86400)));
  EXPECT_EQ(lost_tables(), 0);
  found = running.findings();
  EXPECT_SAYS("inventory/tables", "table public.orders; that was told for loss_memory");
}

}  // namespace
}  // namespace pg_integrity::test::inventory_test
