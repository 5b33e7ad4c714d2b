// The recovery point: the age of the newest point that the server could be brought back to.
#include <gtest/gtest.h>
#include <utime.h>

#include <ctime>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/recovery/backup_metrics.h"
#include "collectors/recovery/recovery_point.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/looks_on.h"
#include "tests/support/plain_dump.h"

namespace pg_integrity::test::recovery_point_test {
namespace {

constexpr double kHour = 3600;
constexpr const char* kAge = "pg_integrity_recovery_point_age_seconds";
constexpr const char* kObject = "backups";

std::string objective(const std::string& duration) {
  return "recovery_point_objective = \"" + duration + "\"\n";
}

/// A directory with one dump of that age.
class Dumps {
 public:
  explicit Dumps(double hours_old) {
    const std::string path = directory_.write("a.dump", plain_dump());
    const time_t when = std::time(nullptr) - static_cast<time_t>(hours_old * kHour);
    const utimbuf times{when, when};
    ::utime(path.c_str(), &times);
  }

  [[nodiscard]] std::string source(const std::string& name) const {
    return "[[server.backups]]\nname = \"" + name + "\"\ndirectory = \"" + directory_.path() +
           "\"\n";
  }

 private:
  TemporaryDirectory directory_;
};

std::string table_source(const std::string& rest = {}) {
  return "[[server.backups]]\nname = \"log\"\n" + rest +
         "table = { table = \"history\", time = \"at\", kind = \"what\" }\n"
         "kinds = { base = { values = [\"base\"] } }\n";
}

void make_history(const Database& db, const std::string& age) {
  db.run(
      "CREATE TABLE history (at timestamptz, what text); INSERT INTO history VALUES (now() - "
      "interval '" +
      age + "', 'base')");
}

Findings look_at(const Database& db, const std::string& more) {
  return look(one_server(db.dsn(), more, "backups"));
}

TEST(RecoveryPoint, IsThatOfTheNewestBackupOfAnySource) {
  const Database db;
  make_history(db, "3 hours");
  const Dumps dumps(2);
  Findings found = look_at(db, objective("1h") + table_source() + dumps.source("dumps"));
  EXPECT_NEAR(found.value(kAge).value(), 2 * kHour, 60);
  EXPECT_EQ(found.value("pg_integrity_recovery_point_objective_seconds"), kHour);
  EXPECT_EQ(found.violated(), kObject);
  db.run("INSERT INTO history VALUES (now() - interval '30 minutes', 'base')");
  found = look_at(db, objective("1h") + table_source() + dumps.source("dumps"));
  EXPECT_NEAR(found.value(kAge).value(), kHour / 2, 60);
  EXPECT_EQ(found.state(kObject), State::proven);
}

TEST(RecoveryPoint, IsNotJudgedWithoutAnObjective) {
  const Database db;
  const Dumps dumps(2);
  const Findings found = look_at(db, dumps.source("dumps"));
  EXPECT_NEAR(found.value(kAge).value(), 2 * kHour, 60);
  EXPECT_EQ(found.state(kObject), State::observed);
}

TEST(RecoveryPoint, NoneIsUnproven) {
  const Database db;
  const TemporaryDirectory empty;
  const std::string source =
      "[[server.backups]]\nname = \"dumps\"\ndirectory = \"" + empty.path() + "\"\n";
  EXPECT_EQ(look_at(db, objective("1h") + source).reason(kObject), Reason::missing);
  EXPECT_FALSE(look_at(db, source).has_object(kObject)) << "nobody asked";
}

TEST(RecoveryPoint, WhatCannotBeReadMayHoldANewerOne) {
  const Database db;
  const Dumps dumps(2);
  const std::string sources =
      dumps.source("dumps") +
      "[[server.backups]]\nname = \"gone\"\ndirectory = \"/nowhere/at/all\"\n";
  EXPECT_EQ(look_at(db, objective("1h") + sources).reason(kObject), Reason::io);
  EXPECT_EQ(look_at(db, objective("3h") + sources).state(kObject), State::proven)
      << "what is known will do";
}

/// A server that archives its log, and a base backup of half a day ago.
class ArchivedLog : public testing::Test {
 protected:
  ArchivedLog() : cluster_({{"archive_mode", "on"}, {"archive_command", "'true'"}}) {
    make_history(db_, "12 hours");
  }

  std::string config(const std::string& rest) {
    return one_server(db_.dsn(), objective("10m") + table_source(rest), "backups");
  }

  void archive_by(const std::string& command) {
    admin_.run("ALTER SYSTEM SET archive_command = '" + command + "'");
    admin_.run("SELECT pg_reload_conf()");
  }

  /// Commits something and fills its segment.
  /// @param archived whether to wait until the segment is archived.
  void write(bool archived) {
    const std::string before = admin_.ask("SELECT archived_count FROM pg_stat_archiver");
    db_.run("CREATE TABLE IF NOT EXISTS t (i int); INSERT INTO t VALUES (1)");
    admin_.run("SELECT pg_switch_wal()");
    if (archived) {
      EXPECT_TRUE(eventually([&] {
        return admin_.ask("SELECT archived_count > " + before + " FROM pg_stat_archiver") == "t";
      }));
    }
  }

  static bool becomes(RunningScheduler& scheduler, State state) {
    return comes_true(scheduler, "backups", Seconds(61),
                      [&] { return scheduler.findings().state(kObject) == state; });
  }

  Cluster cluster_;
  Database db_{cluster_};
  Client admin_{cluster_.dsn("postgres")};
};

TEST_F(ArchivedLog, LeadsToWhatWasCommittedWhenItsNewestSegmentWas) {
  RunningScheduler scheduler(config("continuous = true\n"));
  ASSERT_TRUE(has_looked(scheduler, "backups"));
  EXPECT_EQ(scheduler.findings().reason(kObject), Reason::pending) << "one look does not tell";
  write(true);
  EXPECT_TRUE(becomes(scheduler, State::proven));
  EXPECT_LT(scheduler.page().value(kAge).value(), 600);
  // For an hour no transaction commits, so there is nothing to lose.
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(looks_again(scheduler, "backups", Seconds(590)));
    EXPECT_EQ(scheduler.findings().state(kObject), State::proven);
  }
  archive_by("false");
  ASSERT_TRUE(eventually([&] {
    write(false);
    return admin_.ask("SELECT last_failed_time > last_archived_time FROM pg_stat_archiver") == "t";
  }));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(looks_again(scheduler, "backups", Seconds(590)));
  EXPECT_EQ(scheduler.findings().state(kObject), State::violated) << "the archive stands still";
  archive_by("true");
  write(true);
  EXPECT_TRUE(becomes(scheduler, State::proven));
}

TEST_F(ArchivedLog, CountsForNothingUnlessItBelongsToBaseBackups) {
  RunningScheduler scheduler(config(""));
  ASSERT_TRUE(has_looked(scheduler, "backups"));
  write(true);
  EXPECT_TRUE(looks_again(scheduler, "backups", Seconds(61)));
  EXPECT_EQ(scheduler.findings().state(kObject), State::violated);
  EXPECT_NEAR(scheduler.page().value(kAge).value(), 12 * kHour, kHour);
}

TEST_F(ArchivedLog, WithoutABaseBackupLeadsNowhere) {
  db_.run("DELETE FROM history");
  write(true);
  RunningScheduler scheduler(config("continuous = true\n"));
  ASSERT_TRUE(has_looked(scheduler, "backups"));
  EXPECT_EQ(scheduler.findings().reason(kObject), Reason::missing);
}

TEST(RecoveryPoint, AServerThatDoesNotArchiveIsAFaultOfTheConfiguration) {
  const Database db;
  make_history(db, "12 hours");
  EXPECT_EQ(look_at(db, objective("10m") + table_source("continuous = true\n")).reason(kObject),
            Reason::config);
}

}  // namespace
}  // namespace pg_integrity::test::recovery_point_test
