// The mission's own case. The tests compare what the report said of its database with what is
// there. Expected values are worked out by hand from deploy/demo/REPORT.md. Its moment is
// 2025-12-10 12:32:21 UTC.
#include <gtest/gtest.h>

#include <chrono>

#include "tests/support/demo.h"
#include "tests/support/exporter.h"
#include "tests/support/paths.h"
#include "tests/support/wait.h"
#include "tests/support/wire.h"

namespace pg_integrity::test::demo_test {
namespace {

/// Section 2 of the report, "Core Tables".
const std::map<std::string, double> kCoreTables{{"User", 22},
                                                {"UserProfile", 11},
                                                {"Game", 12},
                                                {"GameRequest", 182},
                                                {"ScheduledSession", 16},
                                                {"UserAvailability", 154},
                                                {"UserGamePreference", 31},
                                                {"UserFriends", 2},
                                                {"UserNotifications", 111},
                                                {"UserSession", 0},
                                                {"EmailVerification", 0}};

/// Section 2, "Protection and Audit Tables".
const std::map<std::string, double> kOtherTables{
    {"DeleteAuditLog", 0}, {"BackupLog", 5}, {"ConnectionAuditLog", 0}, {"ProtectionStatus", 1}};

constexpr double kMinute = 60;
constexpr double kHour = 60 * kMinute;
constexpr double kDay = 24 * kHour;

/// One demo and one exporter on it for all of these tests. Only the last test changes the database,
/// and it restores it.
class DemoPage : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    loaded_at = std::chrono::steady_clock::now();
    demo = std::make_unique<Demo>();
    exporter = std::make_unique<ExporterProcess>(demo->configuration(), demo->environment());
    exporter->wait_until_ready();
  }
  static void TearDownTestSuite() {
    exporter.reset();
    demo.reset();
  }

  /// Expects a time span of the report's moment, plus the time since the database was loaded.
  static void expect_age(double shown, double then) {
    const std::chrono::duration<double> since = std::chrono::steady_clock::now() - loaded_at;
    EXPECT_GE(shown, then);
    EXPECT_LE(shown, then + since.count() + 1);
  }

  static inline std::chrono::steady_clock::time_point loaded_at;
  static inline std::unique_ptr<Demo> demo;
  static inline std::unique_ptr<ExporterProcess> exporter;
};

TEST_F(DemoPage, EveryTableHasTheReportsRows) {
  const PageText page = exporter->page();
  std::map<std::string, double> all = kCoreTables;
  all.insert(kOtherTables.begin(), kOtherTables.end());
  for (const auto& [table, rows] : all)
    EXPECT_EQ(page.value("pg_integrity_table_rows", {{"table", table}}), rows) << table;
  EXPECT_EQ(page.all("pg_integrity_table_rows").size(), all.size());
}

TEST_F(DemoPage, TheTotalsAreWhatThePartsSumUpToNotWhatTheReportSays) {
  const PageText page = exporter->page();
  double core = 0;
  double total = 0;
  for (const Series& rows : page.all("pg_integrity_table_rows")) {
    total += rows.value;
    if (kCoreTables.contains(rows.labels.at("table"))) core += rows.value;
  }
  EXPECT_EQ(core, 541);  // "544 rows" for eleven tables
  EXPECT_EQ(total, 547);
}

TEST_F(DemoPage, EveryForeignKeyIsDiscoveredAndHoldsNoOrphans) {
  const PageText page = exporter->page();
  const auto orphans = page.all("pg_integrity_orphaned_rows");
  EXPECT_EQ(orphans.size(), 15U);  // the report looked at six
  for (const Series& key : orphans) EXPECT_EQ(key.value, 0) << key.labels.at("constraint");
  for (const char* fact :
       {"pg_integrity_foreign_key_enforced", "pg_integrity_foreign_key_validated"}) {
    EXPECT_EQ(page.all(fact).size(), 15U);
    for (const Series& key : page.all(fact)) EXPECT_EQ(key.value, 1) << key.labels.at("constraint");
  }
}

TEST_F(DemoPage, EveryUniqueKeyHoldsNoDuplicates) {
  const PageText page = exporter->page();
  const auto keys = page.all("pg_integrity_duplicate_rows");
  EXPECT_EQ(keys.size(), 16U);  // a primary key for each of fifteen tables, and the users' mail
  for (const Series& key : keys) EXPECT_EQ(key.value, 0) << key.labels.at("key");
}

TEST_F(DemoPage, TheLastEntriesAreTheReports) {
  const PageText page = exporter->page();
  const auto age = [&](const char* table) {
    const auto newest =
        page.value("pg_integrity_table_last_entry_timestamp_seconds", {{"table", table}});
    const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
    return now.count() - newest.value();
  };
  // Section 3 has Dec 2, 14:20:22 and Nov 26, 12:47:59 and 13:35:47. Now is Dec 10, 12:32:21.
  expect_age(age("User"), 7 * kDay + 22 * kHour + 11 * kMinute + 59);
  expect_age(age("GameRequest"), 13 * kDay + 23 * kHour + 44 * kMinute + 22);
  expect_age(age("ScheduledSession"), 13 * kDay + 22 * kHour + 56 * kMinute + 34);
  // There are eleven core tables and the history. Two are empty, and none has a row from the
  // future.
  EXPECT_EQ(page.all("pg_integrity_table_last_entry_timestamp_seconds").size(), 10U);
  EXPECT_EQ(page.all("pg_integrity_table_future_rows").size(), 12U);
  for (const Series& table : page.all("pg_integrity_table_future_rows"))
    EXPECT_EQ(table.value, 0) << table.labels.at("table");
}

TEST_F(DemoPage, EveryPictureIsAUrl) {
  const auto columns = exporter->page().all("pg_integrity_media_unexpected_rows");
  EXPECT_EQ(columns.size(), 3U);
  for (const Series& column : columns) EXPECT_EQ(column.value, 0) << column.labels.at("table");
}

TEST_F(DemoPage, NoSequenceIsBehindAndNoIndexInvalid) {
  const PageText page = exporter->page();
  // The log tables count their rows; everything else has UUIDs.
  const auto sequences = page.all("pg_integrity_sequence_behind_values");
  EXPECT_EQ(sequences.size(), 4U);
  for (const Series& column : sequences) EXPECT_EQ(column.value, 0) << column.labels.at("table");
  EXPECT_EQ(page.value("pg_integrity_invalid_indexes", {{"schema", "public"}}), 0);
}

TEST_F(DemoPage, EachKindOfBackupHasItsOwnAge) {
  const PageText page = exporter->page();
  const auto age = [&](const char* kind) {
    return page.value("pg_integrity_backup_age_seconds",
                      {{"source", "backup-log"}, {"kind", kind}});
  };
  ASSERT_TRUE(age("auto") && age("manual") && age("local"));
  // The backups are of Dec 3, 00:00, Dec 9, 10:22 and Dec 2, 18:42.
  expect_age(*age("auto"), 7 * kDay + 12 * kHour + 32 * kMinute + 21);
  expect_age(*age("auto"), 649941);
  expect_age(*age("manual"), 1 * kDay + 2 * kHour + 10 * kMinute + 21);
  expect_age(*age("local"), 7 * kDay + 17 * kHour + 50 * kMinute + 21);
  // Restores and installations are no backups.
  EXPECT_EQ(page.all("pg_integrity_backup_age_seconds").size(), 3U);
  EXPECT_EQ(page.value("pg_integrity_backup_unrecognised_rows"), 0);
}

TEST_F(DemoPage, ThirtyRunsOfTheScheduleWereMissed) {
  const PageText page = exporter->page();
  // (649,941 s - 30 min) / 6 h = 30.006
  EXPECT_EQ(page.value("pg_integrity_backup_missed_runs", {{"kind", "auto"}}), 30);
  EXPECT_EQ(page.value("pg_integrity_backup_max_age_seconds", {{"kind", "auto"}}),
            6 * kHour + 30 * kMinute);
}

TEST_F(DemoPage, TheRecoveryPointIsMoreThanADayOld) {
  const PageText page = exporter->page();
  // The report says "RPO < 10 minutes". The newest copy of any kind is the manual one of Dec 9,
  // 10:22.
  const auto age = page.value("pg_integrity_recovery_point_age_seconds");
  ASSERT_TRUE(age);
  expect_age(*age, 94221);
  EXPECT_EQ(page.value("pg_integrity_recovery_point_objective_seconds"), 600);
}

TEST_F(DemoPage, TheProtectionWasNeverVerifiedAfterItsInstallation) {
  const PageText page = exporter->page();
  const LabelSet protection{{"protection", "bulletproof"}};
  EXPECT_EQ(page.value("pg_integrity_protection_enabled", protection), 1);
  EXPECT_EQ(page.value("pg_integrity_protection_info", {{"version", "v3.0"}}), 1);
  EXPECT_EQ(page.value("pg_integrity_protection_max_age_seconds", protection), 10 * kMinute);
  // The report says "every 10 minutes" and "continuously active". The time is Dec 2, 18:38:41.
  const auto age = page.value("pg_integrity_protection_age_seconds", protection);
  ASSERT_TRUE(age);
  expect_age(*age, 7 * kDay + 17 * kHour + 53 * kMinute + 40);
  expect_age(*age, 669220);
}

TEST_F(DemoPage, NothingWasWrittenTodayAndThatIsNoAlarm) {
  const PageText page = exporter->page();
  const auto today = page.all("pg_integrity_table_rows_created_today");
  EXPECT_EQ(today.size(), kCoreTables.size() + 1);  // and the history of the backups
  for (const Series& table : today) EXPECT_EQ(table.value, 0) << table.labels.at("table");
  EXPECT_EQ(page.value("pg_integrity_objects", {{"collector", "freshness"}, {"state", "violated"}}),
            0);
}

TEST_F(DemoPage, TheConnectionLogIsSilentThoughTheApiIsConnected) {
  const PageText page = exporter->page();
  EXPECT_EQ(page.value("pg_integrity_audit_log_rows", {{"log", "connections"}}), 0);
  EXPECT_EQ(page.value("pg_integrity_connection_log_silent"), 1);
}

TEST_F(DemoPage, EveryCoreTableHasItsAuditTriggerForRowsAlone) {
  const PageText page = exporter->page();
  EXPECT_EQ(page.all("pg_integrity_audit_trigger_enabled").size(), 2 * kCoreTables.size());
  for (const auto& [table, rows] : kCoreTables) {
    EXPECT_EQ(
        page.value("pg_integrity_audit_trigger_enabled", {{"table", table}, {"event", "delete"}}),
        1);
    EXPECT_EQ(
        page.value("pg_integrity_audit_trigger_enabled", {{"table", table}, {"event", "truncate"}}),
        0);
    EXPECT_EQ(page.value("pg_integrity_audited_rows", {{"table", table}}), rows);
    EXPECT_EQ(page.value("pg_integrity_audited_entries", {{"table", table}}), 0);
  }
  EXPECT_TRUE(page.all("pg_integrity_unaudited_deletes").empty()) << "the past cannot be judged";
}

TEST_F(DemoPage, TheApisTotalIsOffByThreeAndItsListsAreNot) {
  const PageText page = exporter->page();
  const auto api = [&](const char* metric, const char* endpoint) {
    return page.value(std::string("pg_integrity_api_") + metric, {{"endpoint", endpoint}});
  };
  // The report says "544 rows across 11 core tables". They sum up to 541.
  EXPECT_EQ(api("rows", "total"), 544);
  EXPECT_EQ(api("row_difference", "total"), 3);
  // The report says "User Count: 22, Session Count: 16 (matches database exactly)".
  EXPECT_EQ(api("rows", "users"), 22);
  EXPECT_EQ(api("rows", "sessions"), 16);
  for (const char* list : {"users", "sessions"}) EXPECT_EQ(api("row_difference", list), 0);
  for (const char* endpoint : {"dashboard", "users", "sessions", "total"})
    EXPECT_EQ(api("up", endpoint), 1) << endpoint;
  EXPECT_EQ(api("request_duration_max_seconds", "dashboard"), 0.1);
}

/// Violated objects by collector. They are the contradictions of the report's sections, and no
/// more.
const std::map<std::string, double> kContradictions{
    {"api_sync", 1}, {"audit_triggers", 11}, {"backups", 2}, {"connections", 1}, {"protection", 1}};

TEST_F(DemoPage, OnlyWhatContradictsTheReportIsViolated) {
  const PageText page = exporter->page();
  const auto verdict = [&](const char* question, const char* state) {
    return page.value("pg_integrity_verdict", {{"question", question}, {"state", state}});
  };
  EXPECT_EQ(verdict("intact", "violated"), 1);
  EXPECT_EQ(verdict("recoverable", "violated"), 1);
  EXPECT_EQ(verdict("service", "violated"), 1);
  for (const Series& objects : page.all("pg_integrity_objects", {{"state", "violated"}})) {
    const std::string& collector = objects.labels.at("collector");
    const auto found = kContradictions.find(collector);
    EXPECT_EQ(objects.value, found == kContradictions.end() ? 0 : found->second) << collector;
  }
  for (const Series& objects : page.all("pg_integrity_objects", {{"state", "unproven"}}))
    EXPECT_EQ(objects.value, objects.labels.at("collector") == "backups" ? 1 : 0)
        << objects.labels.at("collector");
}

TEST_F(DemoPage, RowsOfALogDoNotProveTheRetention) {
  const PageText page = exporter->page();
  // The report says "Retention policy: 7 days minimum". The oldest row is the local copy of Dec 2,
  // 18:42.
  const auto retention = page.value("pg_integrity_backup_retention_seconds");
  ASSERT_TRUE(retention);
  expect_age(*retention, 7 * kDay + 17 * kHour + 50 * kMinute + 21);
  EXPECT_EQ(page.value("pg_integrity_backup_retention_min_seconds"), 7 * kDay - 6.5 * kHour)
      << "a rotation has just removed one, and a run is due every 6 h and 30 min";
  EXPECT_EQ(page.value("pg_integrity_unproven_objects",
                       {{"collector", "backups"}, {"reason", "not_configured"}}),
            1);
}

TEST_F(DemoPage, CheckNamesWhatContradictsTheReportAndNothingElse) {
  const TemporaryDirectory directory;
  const std::string config = directory.write(
      "demo.toml", "state_dir = \"" + directory.path() + "\"\n" + demo->configuration());
  const Finished check = run({program(), "check", "--config", config}, demo->environment());
  EXPECT_EQ(check.status, 1);
  EXPECT_EQ(check.err, "");
  const auto lines_with = [&](const std::string& text) {
    std::size_t lines = 0;
    for (std::size_t at = check.out.find(text); at != std::string::npos;
         at = check.out.find(text, at + 1))
      ++lines;
    return lines;
  };
  EXPECT_EQ(lines_with("      VIOLATED "), 5 + kCoreTables.size()) << check.out;
  for (const char* object : {"api_sync/total", "backups", "backups/backup-log.auto", "connections",
                             "protection/bulletproof"})
    EXPECT_EQ(lines_with("      VIOLATED " + std::string(object) + " "), 1U) << check.out;
  for (const auto& [table, rows] : kCoreTables)
    EXPECT_EQ(lines_with("      VIOLATED audit_triggers/public." + table + ".truncate "), 1U)
        << check.out;
  EXPECT_EQ(lines_with("UNPROVEN"), 2U) << check.out;
  EXPECT_EQ(lines_with("  [UNPROVEN] Disaster recovery (proofs): 1 limited"), 1U) << check.out;
  EXPECT_EQ(lines_with("  UNPROVEN(not_configured) "), 1U) << check.out;
  EXPECT_EQ(lines_with(": backups/backup-log is unproven"), 1U) << check.out;
  for (const char* format : {"markdown", "json"})
    EXPECT_EQ(run({program(), "check", "--config", config, "--format", format}, demo->environment())
                  .status,
              1);
}

TEST_F(DemoPage, PromtoolFindsNothingToSayOfTheMetrics) {
  const TemporaryDirectory directory;
  for (const char* encoding : {"", "Accept-Encoding: gzip\r\n"}) {
    const std::string page =
        directory.write("page", fetch(exporter->port(), "/metrics", encoding).body);
    const Finished lint = run({"sh", "-c",
                               *encoding == '\0' ? "promtool check metrics < " + page
                                                 : "zcat < " + page + " | promtool check metrics"});
    EXPECT_EQ(lint.status, 0);
    EXPECT_EQ(lint.out + lint.err, "");
  }
}

TEST_F(DemoPage, PlantedOrphansAreFoundOnTheirKeyAloneAndClearAfterTheRepair) {
  // A second exporter checks every second. The keys stay validated.
  const ExporterProcess watcher(
      "[defaults.collectors.orphans]\ninterval = \"1s\"\n" + demo->configuration(),
      demo->environment());
  const LabelSet key{{"table", "UserProfile"}, {"constraint", "UserProfile_user_id_fkey"}};
  ASSERT_TRUE(watcher.shows("pg_integrity_orphaned_rows", key, 0)) << watcher.log();
  demo->database.run(
      "BEGIN; SET LOCAL session_replication_role = replica;"
      "INSERT INTO \"UserProfile\" (id, user_id) SELECT gen_random_uuid(), gen_random_uuid() FROM "
      "generate_series(1, 3); COMMIT");
  EXPECT_TRUE(watcher.shows("pg_integrity_orphaned_rows", key, 3)) << watcher.log();
  const PageText found = watcher.page();
  for (const Series& other : found.all("pg_integrity_orphaned_rows"))
    EXPECT_EQ(other.value, other.labels.at("constraint") == "UserProfile_user_id_fkey" ? 3 : 0);
  EXPECT_EQ(found.value("pg_integrity_foreign_key_validated", key), 1);
  demo->database.run(
      "DELETE FROM \"UserProfile\" p WHERE NOT EXISTS (SELECT FROM \"User\" u WHERE u.id = "
      "p.user_id)");
  EXPECT_TRUE(watcher.shows("pg_integrity_orphaned_rows", key, 0)) << watcher.log();
  demo->database.run("TRUNCATE \"DeleteAuditLog\"");
}

}  // namespace
}  // namespace pg_integrity::test::demo_test
