// A real psql runs the output of `grants`, and the exporter then checks everything with that role.
// The role must see all that is enabled, and must have no grant that it does not need.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "collectors/base/metric.h"
#include "collectors/postgres/schema.h"
#include "exporter/commands/grants_script.h"
#include "tests/support/demo.h"
#include "tests/support/exporter.h"
#include "tests/support/paths.h"

namespace pg_integrity::test::grants_test {
namespace {

constexpr const char* kRole = "grants_test";

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// The environment in which the program knows only one database.
ProcessOptions connected(const Cluster& cluster, const std::string& database,
                         const std::string& user) {
  return {{{"PGHOST", "127.0.0.1"},
           {"PGPORT", std::to_string(cluster.port())},
           {"PGUSER", user},
           {"PGDATABASE", database}},
          {"DATA_SOURCE_NAME", "PGSERVICE"},
          false};
}

/// Runs a script as a user would, with psql from the maintenance database.
Finished psql(const Cluster& cluster, const std::string& script) {
  const TemporaryDirectory directory;
  return run({"psql", "-X", "-q", "-d", cluster.dsn("postgres"), "-f",
              directory.write("grants.sql", script)});
}

std::string grants(const Cluster& cluster, const std::string& database,
                   std::vector<std::string> arguments, const std::string& user = "postgres") {
  arguments.insert(arguments.begin(), {program(), "grants"});
  const Finished finished = run(arguments, connected(cluster, database, user));
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(finished.err, "");
  return finished.out;
}

TEST(Grants, TheShippedFileIsEnoughForTheDemoAndNotTooMuch) {
  const Demo demo;  // has run the file
  const TemporaryDirectory directory;
  const std::string config = directory.write("exporter.toml", demo.configuration());
  const Finished finished = run({program(), "check", "--config", config}, demo.environment());
  EXPECT_FALSE(contains(finished.out, "UNPROVEN(permission)")) << finished.out;
  EXPECT_TRUE(contains(finished.out, "[PROVEN] Privileges (privileges)")) << finished.out;
  EXPECT_TRUE(contains(finished.out, "[PROVEN] Database content (row_counts)")) << finished.out;
}

TEST(Grants, SingleColumnsAreEnoughForTheDemoAndNotTooMuch) {
  const Demo demo;
  const TemporaryDirectory directory;
  const std::string config = directory.write("exporter.toml", demo.configuration());
  const std::string script =
      grants(demo.cluster, "tovplay", {"--config", config, "--column-wise", "--role", kRole});
  EXPECT_FALSE(contains(script, "pg_read_all_data")) << script;
  EXPECT_FALSE(contains(script, "password_hash")) << "nothing looks at it\n" << script;
  const Finished granted = psql(demo.cluster, script);
  ASSERT_EQ(granted.status, 0) << granted.err;
  const Finished finished =
      run({program(), "check", "--config", config}, connected(demo.cluster, "tovplay", kRole));
  EXPECT_FALSE(contains(finished.out, "UNPROVEN(permission)")) << finished.out;
  for (const char* proven : {"Privileges (privileges)", "Database content (row_counts)",
                             "Foreign key integrity (orphans)", "Uniqueness (duplicates)",
                             "Performance (query_latency)", "Storage (storage)"})
    EXPECT_TRUE(contains(finished.out, std::string("[PROVEN] ") + proven)) << proven << "\n"
                                                                           << finished.out;
}

/// One object of everything that a collector reads, in a schema that no role may use by default.
class LeastGrants : public ::testing::Test {
 protected:
  LeastGrants() {
    db_.run(R"(
      REVOKE CONNECT ON DATABASE least FROM PUBLIC; REVOKE USAGE ON SCHEMA public FROM PUBLIC;
      CREATE SCHEMA app;
      CREATE TABLE app.parent (id int PRIMARY KEY, secret text);
      CREATE TABLE app.child (id int, parent_id int REFERENCES app.parent, mail text, secret text,
        created_at timestamptz, picture text, blob oid);
      CREATE UNIQUE INDEX ON app.child (lower(mail)) WHERE id > 0;
      CREATE TABLE app.counted (any_one text, secret text);
      CREATE TABLE app.fed (number bigserial, secret text);
      CREATE TABLE app.log (at timestamptz, about text, what text, secret text);
      CREATE TABLE app.status (enabled boolean, verified timestamptz, secret text);
      CREATE TABLE app.history (at timestamptz, kind text, status text, secret text);
      CREATE TABLE app.own (a int, b int, c int);
      INSERT INTO app.parent VALUES (1); INSERT INTO app.counted VALUES ('x');
      INSERT INTO app.child VALUES (1, 1, 'a@b', 'x', now(), 'https://example.com/a.png',
        lo_from_bytea(0, 'x'));
      INSERT INTO app.fed (secret) VALUES ('x'); INSERT INTO app.status VALUES (true, now());
      INSERT INTO app.history VALUES (now(), 'full', 'ok'); INSERT INTO app.own VALUES (1, 2, 3))");
    config_ = directory_.write("exporter.toml", R"(
      state_dir = "/nonexistent"
      [[server]]
      name = "s"
      allow = { writers = [], superusers = ["postgres"], networks = ["127.0.0.0/8"] }
      [[server.backups]]
      name = "history"
      table = { schema = "app", table = "history", time = "at", kind = "kind", status = "status", success = ["ok"] }
      kinds = { full = { values = ["full"], every = "24h" } }
      [[server.collectors.audit_logs.logs]]
      name = "log"
      schema = "app"
      table = "log"
      time = "at"
      max_recent = 0
      [[server.collectors.audit_triggers.audited]]
      tables = ["app.counted"]
      function = "app.nobody"
      log = { schema = "app", table = "log", about = "about", event = "what", deletes = ["d"] }
      [[server.collectors.protection.protections]]
      name = "p"
      schema = "app"
      table = "status"
      enabled = "enabled"
      verified_at = "verified"
      max_age = "1d"
      [[server.collectors.media.columns]]
      schema = "app"
      table = "child"
      column = "picture"
      must_be = "url"
      [[server.collectors.media.columns]]
      schema = "app"
      table = "child"
      column = "blob"
      bytes = true
      [[server.collectors.custom.queries]]
      name = "own"
      sql = "SELECT o.a, count(*) AS n FROM app.own o WHERE o.\"b\" > 1 GROUP BY a"
      labels = ["a"]
      metrics = { rows = { value = "n", help = "Rows.", at_least = 1 } }
)");
  }

  [[nodiscard]] std::string check() const {
    return run({program(), "check", "--config", config_}, connected(cluster_, "least", kRole)).out;
  }

  /// Drops the role, and makes it anew with the script.
  void become(const std::string& script) const {
    db_.run(std::string("DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '") + kRole +
            "') THEN DROP OWNED BY " + kRole + "; DROP ROLE " + kRole + "; END IF; END $$");
    const Finished granted = psql(cluster_, script);
    ASSERT_EQ(granted.status, 0) << granted.err << script;
  }

  static bool lacks_something(const std::string& report) {
    return contains(report, "UNPROVEN(permission)") || contains(report, "permission denied");
  }

  Cluster cluster_;
  const Database db_{cluster_, "least"};
  const TemporaryDirectory directory_;
  std::string config_;
  /// Another client, whose address is to be seen.
  const Client other_{cluster_.dsn("postgres")};
};

TEST_F(LeastGrants, NoLineAndNoColumnCanBeLeftOut) {
  const std::string script =
      grants(cluster_, "least", {"--config", config_, "--column-wise", "--role", kRole});
  EXPECT_FALSE(contains(script, "secret")) << script;
  become(script);
  const std::string report = check();
  ASSERT_FALSE(lacks_something(report)) << script << report;
  const std::vector<std::string> lines = lines_of(script);
  std::size_t grants_found = 0;
  for (const std::string& left_out : lines) {
    if (!contains(left_out, "GRANT ")) continue;
    ++grants_found;
    std::string shorter;
    for (const std::string& line : lines) shorter += line == left_out ? "" : line + "\n";
    become(shorter);
    EXPECT_TRUE(lacks_something(check())) << "nobody misses\n" << left_out;
  }
  EXPECT_EQ(grants_found, 13U) << script;
  become(script);
  std::istringstream columns(db_.ask(
      std::string(
          "SELECT string_agg(format('(%I) ON %I.%I', column_name, table_schema, table_name),"
          " E'\n') FROM information_schema.column_privileges WHERE grantee = '") +
      kRole + "' AND table_schema = 'app'"));
  std::size_t columns_found = 0;
  for (std::string column; std::getline(columns, column); ++columns_found) {
    db_.run("REVOKE SELECT " + column + " FROM " + kRole);
    EXPECT_TRUE(lacks_something(check())) << "nobody misses " << column;
    db_.run("GRANT SELECT " + column + " TO " + kRole);
  }
  EXPECT_EQ(columns_found, 19U);
}

TEST_F(LeastGrants, CanBeAskedForByTheRoleThatHasNoneYet) {
  const std::vector<std::string> arguments{"--config", config_, "--column-wise", "--role", kRole};
  const std::string script = grants(cluster_, "least", arguments);
  become(script_heading() + connect_to("least", "", "", false) + role_script(kRole, {}) +
         grant_connect(kRole));
  EXPECT_EQ(grants(cluster_, "least", arguments, kRole), script);
}

TEST_F(LeastGrants, WholeTablesForServersThatHaveNoRoleForAllData) {
  Reads reads;
  reads.tables[{"app", "parent"}] = {"id"};
  reads.sequences.insert({"app", "fed_number_seq"});
  reads.large_objects = true;
  become(script_heading() + connect_to("least", "", "", false) + role_script(kRole, {}) +
         grant_connect(kRole) + grant_reads(kRole, reads, Extent::tables, {}));
  Client role(cluster_.dsn("least", kRole));
  EXPECT_EQ(role.ask("SELECT count(secret) FROM app.parent"), "0");
  EXPECT_EQ(role.ask("SELECT is_called FROM app.fed_number_seq"), "t");
  EXPECT_EQ(role.ask("SELECT count(data) FROM pg_largeobject"), "1");
}

TEST_F(LeastGrants, TheRoleIsBoundedAndWhoSortsTooMuchIsStopped) {
  become(grants(cluster_, "least", {"--config", config_, "--role", kRole}));
  Client role(cluster_.dsn("least", kRole));
  EXPECT_EQ(role.ask("SHOW default_transaction_read_only"), "on");
  EXPECT_EQ(role.ask("SHOW idle_in_transaction_session_timeout"), "1min");
  EXPECT_EQ(role.ask("SHOW client_connection_check_interval"), "10s");
  EXPECT_EQ(role.ask("SHOW idle_session_timeout"), "15min");
  EXPECT_EQ(role.ask("SHOW temp_file_limit"), "4GB");
  EXPECT_EQ(
      db_.ask(std::string("SELECT rolconnlimit FROM pg_roles WHERE rolname = '") + kRole + "'"),
      "5");
}

TEST(GrantsOfHostileNames, AreGrantsAndNothingElse) {
  Cluster cluster;
  const TemporaryDirectory directory;
  const std::string marker = directory.path() + "/m";
  // Each name has at most 63 bytes.
  const std::string database = "d'\"\\ :x =\n\\! touch " + marker + "\n\n";
  const std::string role = "r'\"; \\ :x\n\\echo BROKEN\n";
  const std::string schema = "s\"; DROP TABLE public.canary; --\n\\q\n";
  const std::string table = "t' :'x' :\"x\" $a$ /*\n\\connect template1\n";
  const std::string column = "c\\\"'\n\\g\n*/;";
  const Database db(cluster, database);
  db.run("CREATE TABLE public.canary (id int); CREATE SCHEMA " + sql_identifier(schema) +
         "; CREATE TABLE " + QualifiedName{schema, table}.sql() + " (" + sql_identifier(column) +
         " int PRIMARY KEY, other int)");
  for (const bool column_wise : {true, false}) {
    std::vector<std::string> arguments{"--role", role + (column_wise ? "1" : "2")};
    if (column_wise) arguments.emplace_back("--column-wise");
    const std::string script = grants(cluster, database, arguments);
    const Finished granted = psql(cluster, script);
    EXPECT_EQ(granted.status, 0) << granted.err << script;
    EXPECT_EQ(granted.out, "") << script;
    EXPECT_FALSE(std::filesystem::exists(marker)) << script;
    const Finished checked = run({program(), "check"}, connected(cluster, database, arguments[1]));
    EXPECT_FALSE(contains(checked.out, "UNPROVEN(permission)")) << checked.out << script;
    EXPECT_TRUE(contains(checked.out, "[PROVEN] Uniqueness (duplicates)")) << checked.out;
  }
  EXPECT_EQ(db.ask("SELECT count(*) FROM public.canary"), "0");
}

void expect_refused(const std::vector<std::string>& arguments, const ProcessOptions& options,
                    const std::string& what) {
  std::vector<std::string> command{program()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const Finished finished = run(command, options);
  EXPECT_EQ(finished.status, 3) << what;
  EXPECT_EQ(finished.out, "") << what;
  EXPECT_EQ(lines_of(finished.err).size(), 1U) << finished.err;
  EXPECT_TRUE(contains(finished.err, "HINT: ")) << finished.err;
  EXPECT_TRUE(contains(finished.err, what)) << finished.err;
  EXPECT_FALSE(contains(finished.err, "hush")) << finished.err;
}

TEST(GrantsRefuse, WhatCannotBeMeantInOneLine) {
  const ProcessOptions nowhere{
      {{"DATA_SOURCE_NAME", "host=127.0.0.1 dbname=x user=u password=hush connect_timeout=2 port=" +
                                std::to_string(free_port())}},
      {"PGHOST", "PGPORT", "PGUSER", "PGDATABASE"},
      false};
  expect_refused({"grants", "--role", "pg_mine"}, nowhere, "--role");
  expect_refused({"grants", "--role", ""}, nowhere, "--role");
  expect_refused({"grants", "--generic", "--column-wise"}, nowhere, "--generic");
  expect_refused({"grants"}, nowhere, "database \"x\"");
  expect_refused({"grants", "--config", "/nonexistent.toml"}, nowhere, "/nonexistent.toml");
  expect_refused({"explain"}, nowhere, "database \"x\"");
  expect_refused({"explain", "--collector", "orphan"}, nowhere, "orphans");
  expect_refused({"explain", "--collector", "files"}, nowhere, "files");
}

}  // namespace
}  // namespace pg_integrity::test::grants_test
