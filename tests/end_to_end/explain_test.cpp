// `explain` prints the statements that would run and runs none of them. The tests compare this with
// a real server's own statistics of reads.
#include <gtest/gtest.h>

#include "tests/support/cluster.h"
#include "tests/support/exporter.h"
#include "tests/support/observer.h"
#include "tests/support/paths.h"
#include "tests/support/temporary.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::explain_test {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

class Explain : public ::testing::Test {
 protected:
  /// @param more further lines of the server's configuration.
  [[nodiscard]] std::string explain(const std::string& more,
                                    std::vector<std::string> arguments = {}) const {
    const std::string config = directory_.write("exporter.toml", one_server(db_.dsn(), more));
    arguments.insert(arguments.begin(), {program(), "explain", "--config", config});
    const Finished finished = run(arguments);
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ(finished.err, "");
    return finished.out;
  }

  /// How often user tables were read, by scans of any kind.
  [[nodiscard]] int reads() const {
    return std::stoi(Client(db_.dsn()).ask(
        "SELECT sum(seq_scan + coalesce(idx_scan, 0)) FROM pg_stat_user_tables"));
  }

  const Database db_;
  const TemporaryDirectory directory_;
};

TEST_F(Explain, SaysWhatEachCollectorWouldAskAndReadsNoTable) {
  db_.run(R"(CREATE TABLE parent (id int PRIMARY KEY, created_at timestamptz);
    CREATE TABLE child (id serial, parent_id int REFERENCES parent); INSERT INTO parent VALUES (1);
    CREATE FUNCTION boom() RETURNS int LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'was run'; END $$; ANALYZE;
    SELECT pg_stat_force_next_flush())");
  const std::string more = R"(
    [[server.backups]]
    name = "dumps"
    directory = "/var/backups"
    pattern = "*.dump"
    every = "24h"
    [[server.backups]]
    name = "repository"
    pgbackrest = { command = ["pgbackrest", "info", "--output=json"] }
    [[server.collectors.files.directories]]
    path = "/srv/media"
    patterns = ["*.avi"]
    [[server.collectors.api_sync.endpoints]]
    name = "page"
    url = "http://127.0.0.1:9/users"
    tables = ["public.parent"]
    bearer_file = "/nonexistent/token"
    [[server.collectors.custom.queries]]
    name = "own"
    sql = "SELECT public.boom() AS n"
    metrics = { boom = { value = "n", help = "Boom." } }
    [[server.collectors.media.columns]]
    table = "parent"
    column = "created_at"
    must_be = "null")";
  const int before = reads();
  for (const bool cost : {false, true}) {
    const std::string text =
        explain(more, cost ? std::vector<std::string>{"--cost"} : std::vector<std::string>{});
    for (const char* said :
         {"\n  row_counts, every 5m\n", "FROM ONLY \"public\".\"parent\"",
          "\n  orphans, every 15m\n", "c.\"parent_id\"", "\n  duplicates, every 1h\n",
          "      $1 = \"public\".\"parent_pkey\"\n", "FROM \"public\".\"child_id_seq\" s",
          "\n    list /var/backups *.dump\n", "\n    list /srv/media\n",
          "\n    run pgbackrest info --output=json\n", "\n    read /nonexistent/token\n",
          "\n    GET http://127.0.0.1:9/users\n", "\n    SELECT public.boom() AS n\n",
          "\"created_at\" IS NOT NULL", "\n    SELECT 1\n"})
      EXPECT_TRUE(contains(text, said)) << said << "\n" << text;
    EXPECT_FALSE(contains(text, "was run"));
    EXPECT_EQ(contains(text, "\n      cost "), cost);
    EXPECT_FALSE(contains(text, "not explained")) << text;
  }
  // A session adds to the counters some time after its end. Only this one read must be seen.
  db_.run("SELECT count(*) FROM parent");
  EXPECT_TRUE(eventually([&] { return reads() > before; }));
  EXPECT_EQ(reads(), before + 1);
}

TEST_F(Explain, OfOneCollectorSaysNothingOfTheOthers) {
  db_.run("CREATE TABLE t (id int PRIMARY KEY, created_at timestamptz)");
  const std::string text = explain("", {"--collector", "row_counts", "--collector", "storage"});
  EXPECT_TRUE(contains(text, "\n  row_counts, "));
  EXPECT_TRUE(contains(text, "\n  storage, "));
  EXPECT_EQ(count_of(text, ", every "), 2U) << text;
  // The scan also answers freshness, whose part of the statement must stay.
  EXPECT_TRUE(contains(text, "max(\"created_at\")")) << text;
}

TEST_F(Explain, PlansNothingThatRunsSomebodysCode) {
  db_.run(R"(DROP ROLE IF EXISTS explain_planter; CREATE ROLE explain_planter;
    GRANT CREATE ON SCHEMA public TO explain_planter; SET ROLE explain_planter;
    CREATE FUNCTION evil(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
      IF current_user <> 'explain_planter' THEN RAISE EXCEPTION 'called'; END IF; RETURN $1; END $$;
    CREATE TABLE trap (id int); CREATE INDEX ON trap ((id + evil(1)));
    CREATE VIEW door AS SELECT * FROM trap)");
  const std::string text = explain(R"(exclude = ["public.nothing"]
    [[server.collectors.custom.queries]]
    name = "trap"
    sql = "SELECT count(*) AS n FROM public.trap"
    metrics = { a = { value = "n", help = "A." } }
    [[server.collectors.custom.queries]]
    name = "view"
    sql = "SELECT count(*) AS n FROM public.door"
    metrics = { b = { value = "n", help = "B." } })",
                                   {"--cost"});
  EXPECT_FALSE(contains(text, "called")) << text;
  EXPECT_TRUE(contains(text, "not asked: row_counts/public.trap: unsafe: ")) << text;
  EXPECT_EQ(count_of(text, "not explained: unsafe: it may lead to public.trap"), 2U) << text;
  db_.run("DROP OWNED BY explain_planter CASCADE; DROP ROLE explain_planter");
}

TEST_F(Explain, ShowsHostileNamesAsPlainText) {
  db_.run(
      "CREATE TABLE \"x\nserver forged\x1b[2J\" (\"(cost=1..2 rows=3 width=4)\" int PRIMARY KEY)");
  const std::string text = explain("", {"--cost"});
  EXPECT_FALSE(contains(text, "\x1b"));
  EXPECT_FALSE(contains(text, "\nserver forged"));
  EXPECT_TRUE(contains(text, "    server forged\\u001b[2J")) << text;
}

}  // namespace
}  // namespace pg_integrity::test::explain_test
