// `config init`: what it finds in real schemas, and that the program takes what it prints.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/support/cluster.h"
#include "tests/support/content.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::config_init_test {
namespace {

/// What `config init` prints for a database, and what the program makes of it.
class Init : public ::testing::Test {
 protected:
  /// @return the configuration; the test fails if `config check` does not take it.
  std::string init(const Database& database, const std::vector<std::string>& more = {}) {
    ProcessOptions options;
    options.environment["DATA_SOURCE_NAME"] = database.dsn();
    std::vector<std::string> command{program(), "config", "init"};
    command.insert(command.end(), more.begin(), more.end());
    const Finished made = run(command, options);
    EXPECT_EQ(made.status, 0) << made.err;
    file_ = directory_.write("config.toml", "state_dir = \"" + directory_.path() +
                                                "/state\"\n[defaults]\nmax_load = 1\n" + made.out);
    const Finished checked = run({program(), "config", "check", "--config", file_});
    EXPECT_EQ(checked.status, 0) << checked.err << made.out;
    watched_ = checked.out;
    return made.out;
  }
  /// Runs every collector of the configuration once.
  Finished check() const {
    return run({program(), "check", "--config", file_, "--format", "json"});
  }
  [[nodiscard]] bool watches(const std::string& collector) const {
    return watched_.find("not watched: " + collector) == std::string::npos;
  }

  TemporaryDirectory directory_;
  std::string file_;
  std::string watched_;
};

TEST_F(Init, FindsLogsTriggersRolesAndDumps) {
  const Database database;
  database.run(
      "CREATE TABLE customers (id int PRIMARY KEY, created_at timestamptz);"
      "CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, created_at "
      "timestamp);"
      "CREATE TABLE \"DeleteAuditLog\" (id serial PRIMARY KEY, table_name text, deleted_at "
      "timestamptz DEFAULT now());"
      "CREATE TABLE access_log (id serial PRIMARY KEY, at timestamp);"
      "CREATE TABLE blog (id int PRIMARY KEY, at timestamptz);"
      "CREATE FUNCTION log_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
      "\"DeleteAuditLog\" (table_name) VALUES (tg_table_name); RETURN old; END $$;"
      "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN old; END $$;"
      "CREATE TRIGGER a AFTER DELETE ON customers FOR EACH ROW EXECUTE FUNCTION log_change();"
      "CREATE TRIGGER a AFTER DELETE OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION "
      "log_change();"
      "CREATE TRIGGER b BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION touch();"
      "DO $$ BEGIN CREATE ROLE init_app LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;"
      "GRANT INSERT ON orders TO init_app");
  const TemporaryDirectory dumps;
  dumps.write("monday.dump", "x");
  const std::string text = init(database, {"--look-in", dumps.path()});
  for (const char* part :
       {"table = 'DeleteAuditLog'\ntime = 'deleted_at'", "table = 'access_log'\ntime = 'at'",
        "tables = ['public.customers', 'public.orders']\nfunction = 'public.log_change'\n"
        "events = ['delete']",
        "writers = ['init_app']", "superusers = ['postgres']", "pattern = '*.dump'",
        "# table = 'customers'\n# column = 'created_at'", "There are 5 tables, 1 foreign keys",
        "This role is a superuser"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  EXPECT_EQ(text.find("'blog'"), std::string::npos);
  EXPECT_EQ(text.find("public.touch"), std::string::npos) << "it writes nothing down";
  for (const char* collector : {"audit_logs", "audit_triggers", "backups", "superusers"})
    EXPECT_TRUE(watches(collector)) << collector << "\n" << watched_;
  const Finished checked = check();
  for (const char* collector : {"audit_logs", "audit_triggers", "superusers"})
    EXPECT_NE(checked.out.find("\"collector\": \"" + std::string(collector)), std::string::npos)
        << checked.out;
  EXPECT_EQ(checked.out.find("\"configured, but"), std::string::npos) << "what it found is there\n"
                                                                      << checked.out;
  database.run("DROP OWNED BY init_app; DROP ROLE init_app");
}

TEST_F(Init, PrintsNoPasswordAndNoHostileName) {
  const Database database;
  database.run(
      "CREATE TABLE \"audit\"\"\n[[server]]\n#\" (id int PRIMARY KEY, at timestamptz);"
      "CREATE TABLE \"log_\\u0041*\" (id int PRIMARY KEY, created_at timestamptz)");
  ProcessOptions options;
  options.environment["DATA_SOURCE_NAME"] = database.dsn() + " password=verysecret";
  const Finished made = run({program(), "config", "init"}, options);
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_EQ(made.out.find("verysecret"), std::string::npos);
  EXPECT_NE(made.out.find("~/.pgpass"), std::string::npos);
  init(database);
}

TEST_F(Init, SaysWhyItFoundNothing) {
  ProcessOptions options;
  options.environment["DATA_SOURCE_NAME"] =
      "host=127.0.0.1 port=" + std::to_string(free_port()) + " dbname=none user=none";
  const Finished made = run({program(), "config", "init"}, options);
  EXPECT_EQ(made.status, 3);
  EXPECT_TRUE(made.out.empty()) << made.out;
  EXPECT_NE(made.err.find("Connection refused"), std::string::npos) << made.err;
}

/// The setup of a model of tests/month/schemas.
std::string setup_of(const std::string& path) {
  const std::string text = content_of(path);
  const std::size_t begin = text.find("\n--: setup");
  if (begin == std::string::npos) return {};
  const std::size_t line = text.find('\n', begin + 1);
  return text.substr(line, text.find("\n--: ", line) - line);
}

TEST_F(Init, TheModelsOfTheMonthAreTaken) {
  std::size_t models = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(source_path("tests/month/schemas"))) {
    const std::string text = content_of(entry.path());
    if (text.find("--: unpacked") != std::string::npos ||
        text.find("--: superuser") != std::string::npos)
      continue;  // they need packages
    SCOPED_TRACE(entry.path().filename().string());
    const Database database;
    database.run(setup_of(entry.path()));
    init(database);
    EXPECT_NE(check().status, 3);
    ++models;
  }
  EXPECT_GE(models, 2U);
}

TEST_F(Init, SchemasOfOtherPeopleAreTaken) {
  if (std::getenv("PG_INTEGRITY_SCHEMAS") == nullptr)
    GTEST_SKIP() << "tests/run.sh unpacks Debian's packages and says where";
  const std::vector<std::pair<std::string, std::string>> files{
      {"zabbix-server-pgsql", "/schema.sql.gz"},
      {"bacula-director-pgsql", "/install/pgsql"},
      {"pdns-backend-pgsql", "/schema.pgsql.sql"}};
  for (const auto& [package, end] : files) {
    SCOPED_TRACE(package);
    const Database database;
    std::string path;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(
             std::getenv("PG_INTEGRITY_SCHEMAS") + ("/" + package)))
      if (entry.path().string().ends_with(end)) path = entry.path();
    ASSERT_FALSE(path.empty());
    const Finished loaded = run(
        {"sh", "-c",
         "zcat -f '" + path + "' | psql -X -q -1 -v ON_ERROR_STOP=1 -d '" + database.dsn() + "'"});
    ASSERT_EQ(loaded.status, 0) << loaded.err;
    init(database);
    EXPECT_NE(check().status, 3);
  }
}

}  // namespace
}  // namespace pg_integrity::test::config_init_test
