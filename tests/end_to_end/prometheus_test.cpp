// A real Prometheus scrapes the real exporter, and the tests query the series.
#include <gtest/gtest.h>

#include "tests/support/cluster.h"
#include "tests/support/exporter.h"
#include "tests/support/observer.h"
#include "tests/support/prometheus.h"

namespace pg_integrity::test::prometheus_test {
namespace {

/// Names that a database may well have. Each is the name of a table.
const std::vector<std::string> kHostileNames{
    R"(double "quote")",
    "single 'quote'",
    R"(back\slash)",
    "new\nline",
    "carriage\rreturn\ttab",
    "curly {brace=\"x\"} 1",
    "emoji \xF0\x9F\x90\x98",
    "MiXeD Case",
    " leading and trailing ",
    "<script>alert(1)</script>",
    "semi;colon--comment/*",
    "dollar $1 $$ %s %n",
    std::string(63, 'x'),
    std::string(61, 'y') + "\xC3\xA9",  // a letter of two bytes up to the limit
    "select"};

std::string quoted(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

TEST(PrometheusScrape, BringsEverySeriesOfThePage) {
  const Database database;
  database.run(
      "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int REFERENCES parent);"
      "INSERT INTO parent VALUES (1), (2)");
  const ExporterProcess exporter(one_server(database.dsn()));
  exporter.wait_until_ready();
  const Prometheus prometheus(exporter.port());
  const auto rows = prometheus.wait_for("pg_integrity_table_rows{table=\"parent\"}");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].value, 2);
  EXPECT_EQ(rows[0].labels.at("server"), "test");
  EXPECT_EQ(rows[0].labels.at("database"), database.name());
  EXPECT_EQ(rows[0].labels.at("schema"), "public");
  const auto scraped = prometheus.wait_for("scrape_samples_scraped");
  EXPECT_EQ(scraped.at(0).value, static_cast<double>(exporter.page().series().size()));
}

TEST(PrometheusScrape, HostileNamesComeBackUnchanged) {
  const Database database(Cluster::shared(), "host\"ile\n\\ {db} \xF0\x9F\x90\x98");
  std::string sql;
  for (const std::string& name : kHostileNames) {
    sql += "CREATE TABLE " + quoted(name) + " (id int PRIMARY KEY, " + quoted(name) +
           " int CONSTRAINT " + quoted(name.substr(0, 59) + "_fk") + " REFERENCES " + quoted(name) +
           ");";
    sql += "INSERT INTO " + quoted(name) + " VALUES (1, 1);";
  }
  sql += "CREATE SCHEMA \"sch\"\"ema\"; CREATE TABLE \"sch\"\"ema\".select (id int)";
  database.run(sql);
  const ExporterProcess exporter("[[server]]\nname = \"te\\\"st \\\\ \\u00e9\"\ndsn = '''" +
                                 database.dsn() + "'''\n");
  ASSERT_TRUE(exporter.shows("pg_integrity_up", {}, 1)) << exporter.log();
  exporter.wait_until_ready();
  const Prometheus prometheus(exporter.port());
  std::multiset<std::string> seen;
  for (const Series& rows : prometheus.wait_for("pg_integrity_table_rows")) {
    EXPECT_EQ(rows.labels.at("database"), database.name());
    EXPECT_EQ(rows.labels.at("server"), "te\"st \\ \xC3\xA9");
    if (rows.labels.at("schema") == "public") {
      EXPECT_EQ(rows.value, 1) << rows.labels.at("table");
      seen.insert(rows.labels.at("table"));
    } else {
      EXPECT_EQ(rows.labels.at("schema"), "sch\"ema");
    }
  }
  EXPECT_EQ(seen, std::multiset<std::string>(kHostileNames.begin(), kHostileNames.end()));
  std::multiset<std::string> keys;
  for (const Series& orphans : prometheus.wait_for("pg_integrity_orphaned_rows")) {
    EXPECT_EQ(orphans.value, 0);
    keys.insert(orphans.labels.at("table"));
  }
  EXPECT_EQ(keys, seen);
}

}  // namespace
}  // namespace pg_integrity::test::prometheus_test
