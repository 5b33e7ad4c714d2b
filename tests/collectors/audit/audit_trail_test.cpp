// How entries of audit logs name their table, and what one entry is about. Each test takes a log as
// public audit tools write it.
#include "collectors/audit/audit_trail.h"

#include <gtest/gtest.h>

#include "collectors/base/errors.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::audit_trail_test {
namespace {

constexpr char kWithSchema[] = "about_schema = \"of_schema\", ";

/// Three tables of ten rows: a.orders, b.orders and the one with a quoted name. The log has a
/// column for each way to name a table, and `made` has the rows of a statement.
class AuditTrail : public testing::Test {
 protected:
  AuditTrail() {
    db.run(R"(CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA "My Shop";
      CREATE TABLE log (of_schema text, about text, relid oid, class regclass, event text, made int);
      CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.log VALUES (TG_TABLE_SCHEMA, CASE TG_ARGV[0]
          WHEN 'regclass' THEN TG_RELID::regclass::text
          WHEN 'plain' THEN TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME
          WHEN 'quoted' THEN '"' || TG_TABLE_SCHEMA || '"."' || TG_TABLE_NAME || '"'
          ELSE TG_TABLE_NAME END, TG_RELID, TG_RELID, left(TG_OP, 1));
        RETURN NULL; END $$;)");
    for (const char* table : kTables) {
      db.run("CREATE TABLE " + std::string(table) + " (i int); INSERT INTO " + table +
             " SELECT generate_series(1, 10)");
      trigger(table);
    }
  }

  void trigger(const std::string& table, const std::string& argument = {},
               const std::string& when = "AFTER DELETE",
               const std::string& level = "FOR EACH ROW") const {
    db.run("DROP TRIGGER IF EXISTS t ON " + table + "; CREATE TRIGGER t " + when + " ON " + table +
           " " + level + " EXECUTE FUNCTION audit(" + argument + ")");
  }
  void bypass(const std::string& sql) const {
    db.run("BEGIN; SET LOCAL session_replication_role = replica; " + sql + "; COMMIT");
  }
  /// One check of all three tables, after those before it.
  Findings look_at(const std::string& log = {}) {
    Findings found = look(one_server(db.dsn(),
                                     "[[server.collectors.audit_triggers.audited]]\n"
                                     "tables = [\"*.orders\", \"My Shop.*\"]\n"
                                     "function = \"public.audit\"\nlog = { " +
                                         log +
                                         "table = \"log\", event = \"event\", deletes = "
                                         "[\"D\"] }\n",
                                     "audit_triggers"),
                          saved);
    saved = found.saved;
    return found;
  }
  static std::string about(const std::string& column) { return "about = \"" + column + "\", "; }
  static std::optional<double> unaudited(const Findings& found, const std::string& schema = "a") {
    return found.value("pg_integrity_unaudited_deletes", {{"schema", schema}});
  }
  static std::optional<double> entries(const Findings& found, const std::string& schema = "a") {
    return found.value("pg_integrity_audited_entries", {{"schema", schema}});
  }
  /// Three audited deletes of each table are no finding, and three that bypass the audit are.
  void expect_told_apart(const std::string& log) {
    saved = nullptr;
    EXPECT_EQ(look_at(log).violated(), "") << log;
    for (const char* table : kTables) db.run("DELETE FROM " + std::string(table) + " WHERE i <= 3");
    Findings found = look_at(log);
    EXPECT_EQ(found.violated(), "") << log;
    for (const char* schema : {"a", "b", "My Shop"}) EXPECT_EQ(unaudited(found, schema), 0) << log;
    db.run("DELETE FROM a.orders WHERE i <= 6");
    bypass("DELETE FROM b.orders WHERE i <= 6");
    found = look_at(log);
    EXPECT_EQ(unaudited(found, "a"), 0) << log;
    EXPECT_EQ(unaudited(found, "b"), 3) << log;
    EXPECT_EQ(unaudited(found, "My Shop"), 0) << log;
    EXPECT_EQ(found.violated(), "audit_triggers/b.orders") << log;
    for (const char* table : kTables)
      db.run("TRUNCATE log; TRUNCATE " + std::string(table) + "; INSERT INTO " + table +
             " SELECT generate_series(1, 10)");
  }

  static constexpr const char* kTables[] = {"a.orders", "b.orders", "\"My Shop\".\"Order Items\""};
  std::shared_ptr<const SavedEvidence> saved;
  Database db;
};

TEST_F(AuditTrail, TablesOfOneNameAreToldApartByEachWayToNameThem) {
  expect_told_apart(about("about") + kWithSchema);
  expect_told_apart(about("relid"));
  expect_told_apart(about("class"));
  for (const char* way : {"'regclass'", "'plain'", "'quoted'"}) {
    for (const char* table : kTables) trigger(table, way);
    expect_told_apart(about("about"));
  }
  db.run("ALTER TABLE log ALTER about TYPE name, ALTER of_schema TYPE varchar(63)");
  expect_told_apart(about("about") + kWithSchema);
  db.run("ALTER TABLE log ALTER relid TYPE bigint");
  expect_told_apart(about("relid"));
  db.run("ALTER TABLE log ALTER relid TYPE text");
  expect_told_apart(about("relid"));
}

TEST_F(AuditTrail, AnEntryThatMayBeAboutTwoTablesProvesNothing) {
  look_at(about("about"));
  db.run("DELETE FROM a.orders WHERE i <= 3");
  bypass("DELETE FROM b.orders WHERE i <= 3");
  Findings found = look_at(about("about"));
  EXPECT_EQ(found.reason("audit_triggers/a.orders"), Reason::config);
  EXPECT_EQ(found.reason("audit_triggers/b.orders"), Reason::config) << "not a 0";
  EXPECT_EQ(found.state("audit_triggers/My Shop.Order Items"), State::proven);
  EXPECT_FALSE(unaudited(found, "b"));
  EXPECT_FALSE(found.value("pg_integrity_delete_audit_gap", {{"schema", "b"}}));
  EXPECT_NE(found.object("audit_triggers/b.orders").findings.at(0).find("about_schema"),
            std::string::npos);
  // Three entries cannot be about six rows, whichever table they are about.
  db.run("DELETE FROM a.orders WHERE i = 4");
  bypass("DELETE FROM b.orders");
  found = look_at(about("about"));
  EXPECT_EQ(unaudited(found, "b"), 6);
  EXPECT_EQ(found.violated(), "audit_triggers/b.orders");
}

TEST_F(AuditTrail, ATableThatNobodyAuditsLeavesNoDoubt) {
  db.run(
      "DROP TRIGGER t ON b.orders; ALTER TABLE b.orders RENAME TO old; CREATE SCHEMA c;"
      "CREATE TABLE c.orders (i int)");
  const std::string only_a =
      "[[server.collectors.audit_triggers.audited]]\ntables = [\"a.orders\"]\n"
      "function = \"public.audit\"\nlog = { table = \"log\", about = "
      "\"about\", event = \"event\", deletes = [\"D\"] }\n";
  Findings found = look(one_server(db.dsn(), only_a, "audit_triggers"));
  db.run("DELETE FROM a.orders WHERE i <= 3");
  found = look(one_server(db.dsn(), only_a, "audit_triggers"), found.saved);
  EXPECT_EQ(unaudited(found), 0);
  trigger("c.orders");
  found = look(one_server(db.dsn(), only_a, "audit_triggers"), found.saved);
  EXPECT_EQ(found.reason("audit_triggers/a.orders"), Reason::config) << "now c.orders writes, too";
}

TEST_F(AuditTrail, EntriesOfPartitionsAreAboutTheirTable) {
  db.run(
      "DROP TABLE a.orders; CREATE TABLE a.orders (i int) PARTITION BY RANGE (i);"
      "CREATE TABLE a.orders_1 PARTITION OF a.orders FOR VALUES FROM (0) TO (100);"
      "INSERT INTO a.orders SELECT generate_series(1, 10)");
  trigger("a.orders");
  look_at(about("about") + kWithSchema);
  db.run("DELETE FROM a.orders WHERE i <= 3");
  Findings found = look_at(about("about") + kWithSchema);
  EXPECT_EQ(unaudited(found), 0);
  EXPECT_EQ(entries(found), 3);
  bypass("DELETE FROM a.orders WHERE i = 4");
  found = look_at(about("about") + kWithSchema);
  EXPECT_EQ(unaudited(found), 1);
  db.run(
      "CREATE TABLE a.orders_2 PARTITION OF a.orders FOR VALUES FROM (100) TO (200);"
      "DROP TABLE a.orders_1");
  EXPECT_EQ(unaudited(look_at(about("about") + kWithSchema)), 1) << "no row was deleted";
}

TEST_F(AuditTrail, ATableOfANewOidIsNoLossOfEntries) {
  look_at(about("relid"));
  db.run("DELETE FROM a.orders WHERE i <= 3");
  EXPECT_EQ(unaudited(look_at(about("relid"))), 0);
  db.run(
      "CREATE TABLE a.copy AS TABLE a.orders; DROP TABLE a.orders;"
      "ALTER TABLE a.copy RENAME TO orders");
  trigger("a.orders");
  EXPECT_EQ(unaudited(look_at(about("relid"))), 0) << "as after a restore";
  bypass("DELETE FROM a.orders WHERE i = 4");
  EXPECT_EQ(unaudited(look_at(about("relid"))), 1);
}

TEST_F(AuditTrail, OneEntryForManyRowsIsNotHeldAgainstRows) {
  trigger("a.orders", "", "AFTER DELETE", "FOR EACH STATEMENT");
  const std::string log = about("about") + kWithSchema;
  EXPECT_EQ(look_at(log).reason("audit_triggers/a.orders"), Reason::config);
  db.run("DELETE FROM a.orders WHERE i <= 4");
  Findings found = look_at(log);
  EXPECT_FALSE(unaudited(found)) << "neither 3 nor 0";
  EXPECT_EQ(found.reason("audit_triggers/a.orders"), Reason::config);
  EXPECT_NE(found.object("audit_triggers/a.orders").findings.at(0).find("FOR EACH STATEMENT"),
            std::string::npos);
  bypass("DELETE FROM a.orders WHERE i <= 9");
  found = look_at(log);
  EXPECT_EQ(unaudited(found), 5) << "no entry at all was written";
  EXPECT_EQ(found.violated(), "audit_triggers/a.orders");
  db.run("DELETE FROM a.orders");
  EXPECT_EQ(unaudited(look_at(log)), 5);
}

TEST_F(AuditTrail, ALogOfStatementsFindsRowsThatWentWithoutAny) {
  trigger("a.orders", "", "AFTER DELETE", "FOR EACH STATEMENT");
  const std::string log = about("about") + kWithSchema + "entry = \"statement\", ";
  look_at(log);
  db.run("DELETE FROM a.orders WHERE i <= 4");
  Findings found = look_at(log);
  EXPECT_EQ(unaudited(found), 0);
  EXPECT_EQ(found.state("audit_triggers/a.orders"), State::proven);
  bypass("DELETE FROM a.orders WHERE i <= 6");
  EXPECT_EQ(unaudited(look_at(log)), 2);
  db.run("DELETE FROM log");
  EXPECT_EQ(unaudited(look_at(log)), 3) << "an entry that vanished is one that was never written";
}

TEST_F(AuditTrail, EntriesFromTransitionTablesAreWhatTheConfigurationSays) {
  db.run(R"(CREATE OR REPLACE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF TG_LEVEL = 'STATEMENT' THEN INSERT INTO public.log
        SELECT TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_RELID, TG_RELID, 'D', i FROM gone; END IF;
      RETURN NULL; END $$)");
  const std::string level = "REFERENCING OLD TABLE AS gone FOR EACH STATEMENT";
  trigger("a.orders", "", "AFTER DELETE", level);
  const std::string log = about("about") + kWithSchema;
  EXPECT_EQ(look_at(log).reason("audit_triggers/a.orders"), Reason::config);
  saved = nullptr;
  look_at(log + "entry = \"row\", ");
  db.run("DELETE FROM a.orders WHERE i <= 4");
  EXPECT_EQ(unaudited(look_at(log + "entry = \"row\", ")), 0);
  bypass("DELETE FROM a.orders WHERE i = 5");
  EXPECT_EQ(unaudited(look_at(log + "entry = \"row\", ")), 1);

  db.run(R"(CREATE OR REPLACE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF TG_LEVEL = 'STATEMENT' THEN INSERT INTO public.log SELECT TG_TABLE_SCHEMA, TG_TABLE_NAME,
        TG_RELID, TG_RELID, 'D', count(*) FROM gone; END IF; RETURN NULL; END $$)");
  saved = nullptr;
  look_at(log + "rows = \"made\", ");
  db.run("DELETE FROM a.orders WHERE i <= 8");
  EXPECT_EQ(unaudited(look_at(log + "rows = \"made\", ")), 0);
  bypass("DELETE FROM a.orders WHERE i = 9");
  db.run("DELETE FROM a.orders WHERE i = 0");
  EXPECT_EQ(unaudited(look_at(log + "rows = \"made\", ")), 1) << "the new entry is about no row";
}

TEST_F(AuditTrail, AnAuditedTruncateIsOneEntryForAllRows) {
  db.run("CREATE TRIGGER s AFTER TRUNCATE ON a.orders EXECUTE FUNCTION audit()");
  const std::string log = about("about") + kWithSchema + "truncates = [\"T\"], ";
  look_at(log);
  db.run("TRUNCATE a.orders");
  EXPECT_EQ(unaudited(look_at(log)), 0);
  db.run("INSERT INTO a.orders SELECT generate_series(1, 10)");
  look_at(log);
  bypass("TRUNCATE a.orders");
  EXPECT_EQ(unaudited(look_at(log)), 10);
}

TEST_F(AuditTrail, AConfigurationThatContradictsItselfOrTheLogIsSaid) {
  for (const char* wrong :
       {"entry = \"table\", ", "entry = \"row\", rows = \"made\", ", "truncates = [\"D\"], "})
    EXPECT_THROW(look_at(about("about") + wrong), std::runtime_error) << wrong;
  EXPECT_EQ(look_at(about("about") + "about_schema = \"none\", ").reason("audit_triggers/a.orders"),
            Reason::missing);
  saved = nullptr;
  EXPECT_EQ(look_at(about("about") + "rows = \"event\", ").reason("audit_triggers/a.orders"),
            Reason::config);
}

}  // namespace
}  // namespace pg_integrity::test::audit_trail_test
