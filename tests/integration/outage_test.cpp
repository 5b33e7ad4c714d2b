// The server goes away and comes back, and the exporter is restarted. No evidence is lost, and
// nothing turns green by it.
#include <gtest/gtest.h>

#include "collectors/base/instant.h"
#include "tests/support/cluster.h"
#include "tests/support/exporter.h"
#include "tests/support/observer.h"
#include "tests/support/wait.h"
#include "tests/support/wire.h"

namespace pg_integrity::test::outage_test {
namespace {

constexpr const char* kEverySecond =
    "[server.collectors.orphans]\ninterval = \"1s\"\n[server.collectors.row_counts]\n"
    "interval = \"1s\"\n[server.collectors.query_latency]\ninterval = \"1s\"\n"
    "[server.collectors.server]\ninterval = \"1s\"\n[server.collectors.inventory]\n"
    "interval = \"1s\"\nlearn_after = \"0s\"\n";

const LabelSet kKey{{"constraint", "child_parent_id_fkey"}};

/// A parent and a child under a validated key.
void create_family(const Database& database) {
  database.run(
      "CREATE TABLE parent (id int PRIMARY KEY);"
      "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent);"
      "INSERT INTO parent SELECT generate_series(1, 5);"
      "INSERT INTO child SELECT g, g FROM generate_series(1, 5) g");
}

void plant_three_orphans(const Database& database) {
  database.run(
      "BEGIN; SET LOCAL session_replication_role = replica;"
      "DELETE FROM parent WHERE id > 2; COMMIT");
}

void repair(const Database& database) {
  database.run("INSERT INTO parent SELECT generate_series(3, 5)");
}

class Outage : public testing::Test {
 protected:
  Cluster cluster;
  Database database{cluster};
  std::string toml = one_server(database.dsn(), kEverySecond);
};

TEST_F(Outage, AServerThatIsDownAtTheStartIsReachedAsSoonAsItIsThere) {
  create_family(database);
  cluster.stop();
  ExporterProcess exporter(toml);
  exporter.wait_until_ready();  // every collector has made one attempt, a bad one
  const PageText page = exporter.page();
  EXPECT_EQ(page.value("pg_integrity_up"), 0);
  EXPECT_EQ(page.value("pg_integrity_collector_success", {{"collector", "orphans"}}), 0);
  EXPECT_FALSE(page.value("pg_integrity_orphaned_rows", kKey));
  EXPECT_EQ(page.value("pg_integrity_verdict", {{"question", "intact"}, {"state", "unproven"}}), 1);
  EXPECT_TRUE(exporter.log().find("reason=\"connect\"") != std::string::npos) << exporter.log();

  cluster.start();
  EXPECT_TRUE(exporter.shows("pg_integrity_up", {}, 1)) << exporter.log();
  EXPECT_TRUE(exporter.shows("pg_integrity_orphaned_rows", kKey, 0)) << exporter.log();
  EXPECT_TRUE(exporter.shows("pg_integrity_collector_success", {{"collector", "row_counts"}}, 1));
}

TEST_F(Outage, AViolationSticksWhileTheServerIsDownAndClearsWhenItIsRepaired) {
  create_family(database);
  ExporterProcess exporter(toml);
  ASSERT_TRUE(exporter.shows("pg_integrity_orphaned_rows", kKey, 0)) << exporter.log();
  plant_three_orphans(database);
  ASSERT_TRUE(exporter.shows("pg_integrity_orphaned_rows", kKey, 3));

  cluster.stop("immediate");
  ASSERT_TRUE(exporter.shows("pg_integrity_up", {}, 0));
  const PageText down = exporter.page();
  EXPECT_EQ(down.value("pg_integrity_orphaned_rows", kKey), 3);
  EXPECT_EQ(down.value("pg_integrity_objects", {{"collector", "orphans"}, {"state", "violated"}}),
            1);
  EXPECT_EQ(down.value("pg_integrity_verdict", {{"question", "intact"}, {"state", "violated"}}), 1);
  EXPECT_EQ(down.value("pg_integrity_collector_success", {{"collector", "orphans"}}), 0);

  cluster.start();
  repair(database);
  EXPECT_TRUE(exporter.shows("pg_integrity_orphaned_rows", kKey, 0)) << exporter.log();
  EXPECT_TRUE(
      exporter.shows("pg_integrity_verdict", {{"question", "intact"}, {"state", "violated"}}, 0));
}

TEST_F(Outage, CurrentValuesExpireWhilePastEventsStayAndTheirAgesGrow) {
  create_family(database);
  database.run(
      "CREATE TABLE runs (at timestamptz, kind text, status text);"
      "INSERT INTO runs VALUES (now() - interval '1 hour', 'full', 'success')");
  const std::string backups =
      "[[server.backups]]\nname = \"runs\"\ntable = { table = \"runs\", time = \"at\", kind = "
      "\"kind\", status = \"status\", success = [\"success\"] }\n"
      "kinds = { full = { values = [\"full\"], every = \"1d\" } }\n";
  RunningScheduler scheduler(one_server(database.dsn(), backups + kEverySecond));
  ASSERT_TRUE(eventually([&] {
    const PageText page = scheduler.page();
    return page.value("pg_integrity_table_rows", {{"table", "child"}}) == 5 &&
           page.value("pg_integrity_backup_age_seconds").has_value();
  }));
  const double age = *scheduler.page().value("pg_integrity_backup_age_seconds");
  cluster.stop("immediate");
  ASSERT_TRUE(eventually([&] { return scheduler.page().value("pg_integrity_up") == 0; }));
  EXPECT_EQ(scheduler.page().value("pg_integrity_table_rows", {{"table", "child"}}), 5);

  scheduler.clock.advance(Seconds(301));
  const PageText later = scheduler.page();
  EXPECT_FALSE(later.value("pg_integrity_table_rows", {{"table", "child"}}));
  EXPECT_FALSE(later.value("pg_integrity_orphaned_rows", kKey));
  ASSERT_TRUE(later.value("pg_integrity_backup_age_seconds"));
  EXPECT_GE(*later.value("pg_integrity_backup_age_seconds"), age + 300);
  EXPECT_EQ(later.value("pg_integrity_verdict", {{"question", "intact"}, {"state", "unproven"}}),
            1);
}

TEST_F(Outage, EvidenceIsBackAfterARestartWithItsOldTimes) {
  create_family(database);
  plant_three_orphans(database);
  ExporterProcess exporter(toml);
  exporter.wait_until_ready();
  ASSERT_TRUE(exporter.shows("pg_integrity_orphaned_rows", kKey, 3));
  cluster.stop();
  ASSERT_TRUE(exporter.shows("pg_integrity_up", {}, 0));
  const LabelSet rows{{"collector", "row_counts"}};
  const auto last = exporter.value("pg_integrity_collector_last_success_timestamp_seconds", rows);
  ASSERT_TRUE(last);
  EXPECT_EQ(exporter.stop(), 0);

  exporter.start();
  const PageText page = exporter.page();
  EXPECT_EQ(page.value("pg_integrity_orphaned_rows", kKey), 3);
  EXPECT_EQ(page.value("pg_integrity_table_rows", {{"table", "child"}}), 5);
  const auto again = page.value("pg_integrity_collector_last_success_timestamp_seconds", rows);
  ASSERT_TRUE(again);
  EXPECT_NEAR(*again, *last, 0.01);
}

TEST_F(Outage, AnotherClusterAtTheSamePlaceDoesNotInheritEvidence) {
  create_family(database);
  plant_three_orphans(database);
  const std::string by_port = one_server(database.dsn(), kEverySecond);
  ExporterProcess exporter(by_port);
  ASSERT_TRUE(exporter.shows("pg_integrity_orphaned_rows", kKey, 3));
  EXPECT_EQ(exporter.stop(), 0);

  Cluster other;
  const Database same_name(other, database.name());
  create_family(same_name);
  exporter.rewrite_configuration(one_server(same_name.dsn(), kEverySecond));
  exporter.start();
  EXPECT_TRUE(exporter.shows("pg_integrity_orphaned_rows", kKey, 0)) << exporter.log();
  EXPECT_NE(exporter.log().find("its evidence starts anew"), std::string::npos) << exporter.log();
}

TEST_F(Outage, WhatIsDroppedVanishesAndTheInventorySaysSo) {
  create_family(database);
  ExporterProcess exporter(toml);
  ASSERT_TRUE(exporter.shows("pg_integrity_orphaned_rows", kKey, 0));
  ASSERT_TRUE(exporter.shows("pg_integrity_inventory", {{"type", "foreign_keys"}}, 1));
  database.run("ALTER TABLE child DROP CONSTRAINT child_parent_id_fkey");
  EXPECT_TRUE(exporter.withdraws("pg_integrity_orphaned_rows", kKey, std::chrono::seconds(90)));
  EXPECT_TRUE(exporter.shows("pg_integrity_inventory", {{"type", "foreign_keys"}}, 0,
                             std::chrono::seconds(90)));
  EXPECT_TRUE(exporter.shows("pg_integrity_inventory_lost", {{"type", "foreign_keys"}}, 1));
  EXPECT_TRUE(
      exporter.shows("pg_integrity_verdict", {{"question", "intact"}, {"state", "unproven"}}, 1));
}

}  // namespace
}  // namespace pg_integrity::test::outage_test
