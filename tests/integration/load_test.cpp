// The cost of the exporter for the databases that it watches.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "collectors/registry.h"
#include "tests/support/cluster.h"
#include "tests/support/exporter.h"
#include "tests/support/observer.h"
#include "tests/support/pgbouncer.h"
#include "tests/support/wait.h"
#include "tests/support/wire.h"

namespace pg_integrity::test::load_test {
namespace {

/// The role that the exporter uses in these tests. It differs from the role of the test's own
/// sessions.
const std::string& watcher() {
  static const std::string name = [] {
    Client(Cluster::shared().dsn("postgres"))
        .run("CREATE ROLE load_watcher LOGIN IN ROLE pg_read_all_data");
    return std::string("load_watcher");
  }();
  return name;
}

void start_counting(const Database& database) {
  database.run(
      "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT pg_stat_statements_reset()");
}

std::string statements(const Database& database) {
  return database.ask(
      "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE userid = "
      "'load_watcher'::regrole");
}

TEST(Load, NoScrapeMakesTheDatabaseDoAnything) {
  const Database database;
  database.run(
      "CREATE TABLE thing (id int PRIMARY KEY); CREATE TABLE other (id int REFERENCES thing)");
  std::string slow;
  for (const CollectorSpec* spec : collectors())
    slow += "[server.collectors." + std::string(spec->name) + "]\ninterval = \"1h\"\n";
  const ExporterProcess exporter(one_server(database.dsn(watcher()), slow));
  exporter.wait_until_ready();
  start_counting(database);
  std::vector<std::thread> scrapers;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 8; ++i)
    scrapers.emplace_back([&] {
      for (int j = 0; j < 100; ++j)
        for (const char* path : {"/metrics", "/", "/report.json"})
          if (fetch(exporter.port(), path).status == 200) ++answered;
    });
  for (std::thread& scraper : scrapers) scraper.join();
  EXPECT_EQ(answered, 2400);
  EXPECT_EQ(statements(database), "0");
}

TEST(Load, StatementsAreSeenByTheCounterThatTheScrapesDidNotMove) {
  const Database database;
  database.run("CREATE TABLE thing (id int PRIMARY KEY)");
  start_counting(database);
  const ExporterProcess exporter(one_server(database.dsn(watcher())));
  exporter.wait_until_ready();
  EXPECT_NE(statements(database), "0");
}

TEST(Load, ManyDatabasesOfAServerShareTwoSessions) {
  std::vector<std::unique_ptr<Database>> databases;
  std::string names;
  for (int i = 0; i < 6; ++i) {
    databases.push_back(
        std::make_unique<Database>(Cluster::shared(), "shard_" + std::to_string(i)));
    databases.back()->run("CREATE TABLE thing (id int PRIMARY KEY)");
  }
  std::string fast = "databases = [\"shard_*\"]\n";
  for (const char* collector : {"orphans", "row_counts", "server", "query_latency"})
    fast += std::string("[server.collectors.") + collector + "]\ninterval = \"1s\"\n";
  const ExporterProcess exporter(one_server(Cluster::shared().dsn("postgres", watcher()), fast));
  Client observer(Cluster::shared().dsn("postgres"));
  int most = 0;
  const auto all_seen = [&] {
    most = std::max(most, std::stoi(observer.ask("SELECT count(*) FROM pg_stat_activity WHERE "
                                                 "usename = 'load_watcher'")));
    const PageText page = exporter.page();
    for (const auto& database : databases)
      if (!page.value("pg_integrity_table_rows", {{"database", database->name()}})) return false;
    return true;
  };
  EXPECT_TRUE(eventually(all_seen)) << exporter.log();
  for (int i = 0; i < 200; ++i) {
    static_cast<void>(all_seen());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_LE(most, 2);
  EXPECT_GE(most, 1);
}

TEST(Load, TwoServersAreWatchedSideBySideAndFailApart) {
  Cluster second;
  const Database here;
  const Database there(second);
  here.run("CREATE TABLE thing (id int PRIMARY KEY)");
  there.run("CREATE TABLE thing (id int PRIMARY KEY); INSERT INTO thing VALUES (1)");
  const std::string toml =
      "[defaults.collectors.row_counts]\ninterval = \"1s\"\n"
      "[[server]]\nname = \"here\"\ndsn = \"" +
      here.dsn() + "\"\n[[server]]\nname = \"there\"\ndsn = \"" + there.dsn() + "\"\n";
  const ExporterProcess exporter(toml);
  EXPECT_TRUE(exporter.shows("pg_integrity_table_rows", {{"server", "here"}}, 0));
  EXPECT_TRUE(exporter.shows("pg_integrity_table_rows", {{"server", "there"}}, 1));
  second.stop("immediate");
  EXPECT_TRUE(exporter.shows("pg_integrity_up", {{"server", "there"}}, 0));
  EXPECT_EQ(exporter.value("pg_integrity_up", {{"server", "here"}}), 1);
  EXPECT_EQ(exporter.value("pg_integrity_collector_success",
                           {{"server", "here"}, {"collector", "row_counts"}}),
            1);
}

TEST(Load, AnApplicationBehindTheSamePoolKeepsWriting) {
  const Database database;
  database.run(
      "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id serial PRIMARY KEY, "
      "parent_id int REFERENCES parent); INSERT INTO parent VALUES (1)");
  // All clients share one server connection, so the application would meet anything that the
  // exporter left behind.
  const PgBouncer bouncer(database.cluster(), 1);
  std::string fast;
  for (const char* collector : {"orphans", "row_counts", "server", "query_latency"})
    fast += std::string("[server.collectors.") + collector + "]\ninterval = \"1s\"\n";
  const ExporterProcess exporter(one_server(bouncer.dsn(database.name()), fast));
  Client application(bouncer.dsn(database.name()));
  int written = 0;
  std::string settings;
  const auto write = [&] {
    application.run("INSERT INTO child (parent_id) VALUES (1)");
    ++written;
    settings = application.ask(
        "SELECT concat_ws(' ', current_setting('transaction_read_only'), "
        "current_setting('search_path'),"
        " current_setting('statement_timeout'), current_setting('lock_timeout'), "
        "current_setting('jit'), current_setting('row_security'))");
    return settings;
  };
  const std::string before =
      Client(database.dsn())
          .ask(
              "SELECT concat_ws(' ', current_setting('transaction_read_only'), "
              "current_setting('search_path'),"
              " current_setting('statement_timeout'), current_setting('lock_timeout'), "
              "current_setting('jit'), current_setting('row_security'))");
  const auto passes = [&] {
    return exporter
        .value("pg_integrity_collector_runs_total",
               {{"collector", "orphans"}, {"outcome", "success"}})
        .value_or(0);
  };
  ASSERT_TRUE(eventually([&] {
    EXPECT_EQ(write(), before);
    return passes() >= 5;
  })) << exporter.log();
  EXPECT_GT(written, 5);
  EXPECT_TRUE(exporter.shows("pg_integrity_table_rows", {{"table", "child"}}, written));
  EXPECT_EQ(exporter.value("pg_integrity_collector_success", {{"collector", "row_counts"}}), 1)
      << exporter.log();
}

}  // namespace
}  // namespace pg_integrity::test::load_test
