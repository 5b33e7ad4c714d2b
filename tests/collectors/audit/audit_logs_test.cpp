#include <gtest/gtest.h>

#include <algorithm>

#include "collectors/base/errors.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::audit_logs_test {
namespace {

std::string log_named(const std::string& name, const std::string& table, const std::string& rest) {
  return "[[server.collectors.audit_logs.logs]]\nname = \"" + name + "\"\ntable = \"" + table +
         "\"\n" + rest + "\n";
}

Findings look_at_logs(const Database& database, const std::string& more) {
  return look(one_server(database.dsn(), more, "audit_logs"));
}

TEST(AuditLogs, TellsRowsRecentRowsAndTheLastEntry) {
  const Database db;
  db.run(
      "CREATE TABLE log (at timestamptz); INSERT INTO log VALUES (now() - interval '3 days'),"
      " (now() - interval '2 hours'), (now() - interval '1 hour')");
  const Findings found = look_at_logs(
      db, log_named("deletes", "log", "time = \"at\"\nwindow = \"24h\"\nmax_recent = 2"));
  const LabelSet log{{"log", "deletes"}};
  EXPECT_EQ(found.value("pg_integrity_audit_log_rows", log), 3);
  EXPECT_EQ(found.value("pg_integrity_audit_log_recent_rows", log), 2);
  EXPECT_EQ(found.value("pg_integrity_audit_log_recent_rows_max", log), 2);
  EXPECT_EQ(found.value("pg_integrity_audit_log_window_seconds", log), 86400);
  EXPECT_NEAR(found.value("pg_integrity_audit_log_last_entry_timestamp_seconds", log).value(),
              std::stod(db.ask("SELECT extract(epoch FROM max(at)) FROM log")), 1);
  EXPECT_EQ(found.state("audit_logs/deletes"), State::proven);
}

TEST(AuditLogs, ALogThatMustStayEmptyIsViolatedByOneRow) {
  const Database db;
  db.run("CREATE TABLE log (at timestamptz DEFAULT now())");
  const std::string config = log_named("deletes", "log", "time = \"at\"\nmax_recent = 0");
  Findings found = look_at_logs(db, config);
  EXPECT_EQ(found.state("audit_logs/deletes"), State::proven);
  EXPECT_FALSE(found.value("pg_integrity_audit_log_last_entry_timestamp_seconds"))
      << "never is absent, not 1970";
  db.run("INSERT INTO log DEFAULT VALUES");
  EXPECT_EQ(look_at_logs(db, config).violated(), "audit_logs/deletes");
}

TEST(AuditLogs, ALogThatMustNotFallSilentIsViolatedByNoRow) {
  const Database db;
  db.run("CREATE TABLE log (at timestamptz); INSERT INTO log VALUES (now() - interval '2 days')");
  EXPECT_EQ(look_at_logs(db, log_named("c", "log", "time = \"at\"\nmin_recent = 1")).violated(),
            "audit_logs/c");
}

TEST(AuditLogs, ColumnsWithoutZoneNeedOne) {
  const Database db;
  db.run(
      "CREATE TABLE log (at timestamp); INSERT INTO log VALUES (now() AT TIME ZONE 'Asia/Tokyo' - "
      "interval '1 hour')");
  Findings found = look_at_logs(db, log_named("a", "log", "time = \"at\""));
  EXPECT_EQ(found.reason("audit_logs/a"), Reason::config);
  found = look_at_logs(
      db, log_named("a", "log", "time = \"at\"\nzone = \"Asia/Tokyo\"\nwindow = \"90m\""));
  EXPECT_EQ(found.value("pg_integrity_audit_log_recent_rows", {{"log", "a"}}), 1);
  found =
      look_at_logs(db, log_named("a", "log", "time = \"at\"\nzone = \"UTC\"\nwindow = \"90m\""));
  EXPECT_EQ(found.value("pg_integrity_audit_log_recent_rows", {{"log", "a"}}), 0)
      << "nine hours in the future is not known to be recent";
  EXPECT_EQ(found.state("audit_logs/a"), State::observed) << "nothing is judged by it";
}

class AuditLogsUndated : public ::testing::TestWithParam<const char*> {};

TEST_P(AuditLogsUndated, RowsCannotHideFromAnUpperLimit) {
  const Database db;
  db.run("CREATE TABLE log (at timestamptz)");
  const std::string config = log_named("deletes", "log", "time = \"at\"\nmax_recent = 0");
  EXPECT_EQ(look_at_logs(db, config).state("audit_logs/deletes"), State::proven);
  db.run(std::string("INSERT INTO log VALUES (") + GetParam() + ")");
  Findings found = look_at_logs(db, config);
  EXPECT_EQ(found.reason("audit_logs/deletes"), Reason::clock);
  EXPECT_EQ(found.value("pg_integrity_audit_log_recent_rows"), 0);
  db.run("INSERT INTO log VALUES (now())");
  found = look_at_logs(db, config);
  EXPECT_EQ(found.violated(), "audit_logs/deletes") << "nor can they hide what is seen";
}

TEST_P(AuditLogsUndated, RowsDoNotSpoilALowerLimitThatIsKept) {
  const Database db;
  db.run(std::string("CREATE TABLE log (at timestamptz); INSERT INTO log VALUES (now()), (") +
         GetParam() + ")");
  const std::string config = "time = \"at\"\nmin_recent = ";
  EXPECT_EQ(look_at_logs(db, log_named("c", "log", config + "1")).state("audit_logs/c"),
            State::proven);
  EXPECT_EQ(look_at_logs(db, log_named("c", "log", config + "2")).violated(), "audit_logs/c");
}

TEST_P(AuditLogsUndated, RowsOfALargeLogAreSeenThroughTheIndex) {
  const Database db;
  db.run(std::string("CREATE TABLE log (at timestamptz); CREATE INDEX ON log (at);"
                     "INSERT INTO log SELECT '2001-01-01' FROM generate_series(1, 9999);"
                     "ANALYZE log; INSERT INTO log VALUES (") +
         GetParam() + ")");
  const std::string config = "[server.collectors.audit_logs]\nexact_up_to = \"64kB\"\n" +
                             log_named("a", "log", "time = \"at\"\nmax_recent = 0");
  EXPECT_EQ(look_at_logs(db, config).reason("audit_logs/a"), Reason::clock);
  db.run("DELETE FROM log WHERE at IS DISTINCT FROM '2001-01-01'");
  EXPECT_EQ(look_at_logs(db, config).state("audit_logs/a"), State::proven);
}

INSTANTIATE_TEST_SUITE_P(ThatAre, AuditLogsUndated,
                         testing::Values("NULL", "'infinity'", "'-infinity'",
                                         "now() + interval '2 minutes'"));

TEST(AuditLogs, WhatDoesNotFitIsUnprovenAndHarmsNobodyElse) {
  const Database db;
  db.run("CREATE TABLE log (at timestamptz, n int); INSERT INTO log VALUES (now(), 1)");
  const Findings found = look_at_logs(db, log_named("good", "log", "time = \"at\"") +
                                              log_named("no_table", "nowhere", "time = \"at\"") +
                                              log_named("no_column", "log", "time = \"nothing\"") +
                                              log_named("no_time", "log", "time = \"n\""));
  EXPECT_EQ(found.value("pg_integrity_audit_log_rows", {{"log", "good"}}), 1);
  EXPECT_EQ(found.reason("audit_logs/no_table"), Reason::missing);
  EXPECT_EQ(found.reason("audit_logs/no_column"), Reason::missing);
  EXPECT_EQ(found.reason("audit_logs/no_time"), Reason::config);
}

TEST(AuditLogs, AboveTheSizeGateOnlyTheWindowIsReadThroughAnIndex) {
  const Database db;
  db.run(
      "CREATE TABLE log (at timestamp); INSERT INTO log SELECT (now() AT TIME ZONE 'UTC') - i * "
      "interval '1 minute'"
      " FROM generate_series(0, 9999) i; ANALYZE log");
  const std::string config =
      "[server.collectors.audit_logs]\nexact_up_to = \"64kB\"\n" +
      log_named("a", "log", "time = \"at\"\nzone = \"UTC\"\nwindow = \"1h\"");
  EXPECT_EQ(look_at_logs(db, config).reason("audit_logs/a"), Reason::too_large);
  db.run("CREATE INDEX ON log (at)");
  const Findings found = look_at_logs(db, config);
  EXPECT_FALSE(found.value("pg_integrity_audit_log_rows", {{"log", "a"}}));
  EXPECT_EQ(found.value("pg_integrity_audit_log_recent_rows", {{"log", "a"}}), 60);
  EXPECT_TRUE(found.value("pg_integrity_audit_log_last_entry_timestamp_seconds", {{"log", "a"}}));
}

TEST(AuditLogs, SharesItsScanWithTheRowCounts) {
  const Database db;
  db.run(
      "CREATE EXTENSION pg_stat_statements; CREATE TABLE shared_log (at timestamptz); "
      "INSERT INTO shared_log VALUES (now()); SELECT pg_stat_statements_reset()");
  const Findings found = look(one_server(db.dsn(), log_named("a", "shared_log", "time = \"at\"")));
  EXPECT_EQ(found.value("pg_integrity_table_rows", {{"table", "shared_log"}}), 1);
  EXPECT_EQ(found.value("pg_integrity_audit_log_recent_rows", {{"log", "a"}}), 1);
  EXPECT_EQ(
      db.ask("SELECT sum(calls) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid"
             " WHERE datname = current_database() AND query LIKE '%FROM%ONLY%shared_log%'"),
      "1");
}

TEST(AuditLogs, RowsCanBeCountedThoughTheTimesMayNotBeRead) {
  const Database db;
  db.run(
      "CREATE TABLE log (id int, at timestamptz); INSERT INTO log VALUES (1, now());"
      "DROP ROLE IF EXISTS by_column; CREATE ROLE by_column LOGIN; GRANT SELECT (id) ON log TO "
      "by_column");
  const Findings found =
      look(one_server(db.dsn("by_column"), log_named("a", "log", "time = \"at\"")));
  EXPECT_EQ(found.value("pg_integrity_table_rows", {{"table", "log"}}), 1);
  EXPECT_EQ(found.reason("audit_logs/a"), Reason::permission);
}

TEST(AuditLogs, WithoutConfigurationItIsNotWatched) {
  const Database db;
  const Findings found = look(one_server(db.dsn()));
  EXPECT_TRUE(
      found.page.all("pg_integrity_collector_success", {{"collector", "audit_logs"}}).empty());
  const auto& unwatched = found.report.servers.front().not_watched;
  const auto found_here = std::find_if(unwatched.begin(), unwatched.end(), [](const auto& one) {
    return one.collector == "audit_logs";
  });
  ASSERT_NE(found_here, unwatched.end());
  EXPECT_NE(found_here->hint, "");
}

}  // namespace
}  // namespace pg_integrity::test::audit_logs_test
