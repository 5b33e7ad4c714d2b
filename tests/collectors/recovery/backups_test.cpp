#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utime.h>

#include <ctime>
#include <filesystem>

#include "collectors/base/errors.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/verdict.h"
#include "exporter/report/report.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"
#include "tests/support/plain_dump.h"
#include "tests/support/unprivileged.h"

namespace pg_integrity::test::backups_test {
namespace {

constexpr double kHour = 3600;

Findings look_at_backups(const Database& database, const std::string& more,
                         std::shared_ptr<const SavedEvidence> record = nullptr) {
  return look(one_server(database.dsn(), more, "backups"), std::move(record));
}

LabelSet of(const std::string& source, const std::string& kind) {
  return {{"source", source}, {"kind", kind}};
}

std::string history(const std::string& kinds, const std::string& rest = {}) {
  return R"([[server.backups]]
name = "log"
table = { table = "history", time = "at", kind = "what", status = "status", success = ["ok"], failed = ["bad"], running = ["..."] }
kinds = { )" +
         kinds + " }\n" + rest + "\n";
}

constexpr const char* kHistory = "CREATE TABLE history (at timestamptz, what text, status text);";

TEST(BackupHistoryTable, JudgesEachKindByItself) {
  const Database db;
  db.run(kHistory);
  db.run(
      "INSERT INTO history VALUES (now() - interval '20 hours', 'auto', 'ok'), (now() - interval "
      "'1 hour', 'manual', 'ok'),"
      " (now() - interval '30 minutes', 'auto', 'bad'), (now(), 'auto', '...'), (now(), 'restore', "
      "'ok')");
  const Findings found =
      look_at_backups(db, history("auto = { values = [\"auto\"], every = \"6h\", grace = \"30m\" "
                                  "}, manual = { values = [\"manual\"] }"));
  EXPECT_NEAR(found.value("pg_integrity_backup_age_seconds", of("log", "auto")).value(), 20 * kHour,
              60);
  EXPECT_EQ(found.value("pg_integrity_backup_max_age_seconds", of("log", "auto")), 6.5 * kHour);
  EXPECT_EQ(found.value("pg_integrity_backup_missed_runs", of("log", "auto")), 3);
  EXPECT_NEAR(found.value("pg_integrity_backup_age_seconds", of("log", "manual")).value(), kHour,
              60);
  EXPECT_EQ(found.violated(), "backups/log.auto");
  EXPECT_EQ(found.state("backups/log.manual"), State::observed);
  LabelSet status = of("log", "auto");
  for (const auto& [name, runs] :
       {std::pair("success", 1), {"failed", 1}, {"running", 1}, {"other", 0}}) {
    status["status"] = name;
    EXPECT_EQ(found.value("pg_integrity_backups", status), runs) << name;
  }
  EXPECT_EQ(found.value("pg_integrity_backup_unrecognised_rows", {{"source", "log"}}), 1);
  EXPECT_EQ(
      found.value("pg_integrity_verdict", {{"question", "recoverable"}, {"state", "violated"}}), 1);
}

TEST(BackupHistoryTable, WhatIsStuckIsToldApart) {
  const Database db;
  db.run(kHistory);
  db.run(
      "INSERT INTO history VALUES (now() - interval '2 hours', 'auto', 'ok'),"
      " (now() - interval '10 hours', 'auto', '...'), (now() - interval '5 hours', 'auto', '...')");
  const auto runs = [&](const std::string& more, const std::string& status) {
    return look_at_backups(db, history("auto = { values = [\"auto\"], every = \"6h\", grace = "
                                       "\"30m\"" +
                                       more + " }"))
        .value("pg_integrity_backups", {{"status", status}});
  };
  EXPECT_EQ(runs("", "stuck"), 1) << "schedule and grace are over";
  EXPECT_EQ(runs("", "running"), 1);
  EXPECT_EQ(runs(", stuck_after = \"1h\"", "stuck"), 2);
  EXPECT_EQ(runs(", stuck_after = \"1d\"", "stuck"), 0);
  const Findings found = look_at_backups(
      db, history("auto = { values = [\"auto\"], every = \"6h\", grace = \"30m\" }"));
  const ReportObject& object = found.object("backups/log.auto");
  EXPECT_EQ(object.state, State::proven) << "others have kept the schedule since";
  EXPECT_EQ(object.lines, std::vector<std::string>{"1 said to be running for longer than 6h30m"});
}

TEST(BackupHistoryTable, MissedRunsCountFromTheEndOfTheGrace) {
  const Database db;
  db.run(kHistory);
  const std::string config =
      history("auto = { values = [\"auto\"], every = \"6h\", grace = \"30m\" }");
  const auto missed_after = [&](const std::string& age) {
    db.run("TRUNCATE history; INSERT INTO history VALUES (now() - interval '" + age +
           "', 'auto', 'ok')");
    return look_at_backups(db, config).value("pg_integrity_backup_missed_runs", of("log", "auto"));
  };
  EXPECT_EQ(missed_after("0 hours"), 0);
  EXPECT_EQ(missed_after("6 hours 29 minutes"), 0);
  EXPECT_EQ(missed_after("6 hours 31 minutes"), 1);
  EXPECT_EQ(missed_after("12 hours 29 minutes"), 1);
  EXPECT_EQ(missed_after("12 hours 31 minutes"), 2);
}

TEST(BackupHistoryTable, NeverIsUnprovenNotFiftyYearsOld) {
  const Database db;
  db.run(kHistory);
  const Findings found =
      look_at_backups(db, history("auto = { values = [\"auto\"], every = \"6h\" }"));
  EXPECT_EQ(found.reason("backups/log.auto"), Reason::missing);
  EXPECT_FALSE(found.value("pg_integrity_backup_age_seconds", of("log", "auto")));
  EXPECT_FALSE(
      found.value("pg_integrity_backup_last_success_timestamp_seconds", of("log", "auto")));
  EXPECT_EQ(found.value("pg_integrity_backup_max_age_seconds", of("log", "auto")), 7.5 * kHour);
}

TEST(BackupHistoryTable, ATimeInTheFutureIsItsOwnFindingAndHidesNothing) {
  const Database db;
  db.run(kHistory);
  db.run(
      "INSERT INTO history VALUES (now() + interval '1 day', 'auto', 'ok'), (now() - interval '2 "
      "hours', 'auto', 'ok'),"
      " ('infinity', 'auto', 'ok'), ('-infinity', 'auto', 'ok'), (NULL, 'auto', 'ok')");
  const Findings found =
      look_at_backups(db, history("auto = { values = [\"auto\"], every = \"6h\" }"));
  EXPECT_NEAR(found.value("pg_integrity_backup_age_seconds", of("log", "auto")).value(), 2 * kHour,
              60);
  EXPECT_EQ(found.reason("backups/log.auto"), Reason::clock);
}

TEST(BackupHistoryTable, ReadsZonesAndEnumsAndRefusesWhatHasNoTime) {
  const Database db;
  db.run(
      "CREATE TYPE what AS ENUM ('auto'); CREATE TABLE history (at timestamp, what what, status "
      "varchar, n int);"
      "INSERT INTO history VALUES ((now() - interval '1 hour') AT TIME ZONE 'America/New_York', "
      "'auto', 'ok')");
  const auto config = [](const std::string& time, const std::string& zone) {
    return "[[server.backups]]\nname = \"log\"\ntable = { table = \"history\", time = \"" + time +
           "\", kind = \"what\", status = \"status\", success = [\"ok\"]" + zone +
           " }\nkinds = { auto = { values = [\"auto\"], every = \"6h\" } }\n";
  };
  Findings found = look_at_backups(db, config("at", ", zone = \"America/New_York\""));
  EXPECT_NEAR(found.value("pg_integrity_backup_age_seconds", of("log", "auto")).value(), kHour, 60);
  EXPECT_EQ(look_at_backups(db, config("at", "")).reason("backups/log.auto"), Reason::config);
  EXPECT_EQ(look_at_backups(db, config("n", "")).reason("backups/log.auto"), Reason::config);
  EXPECT_EQ(look_at_backups(db, config("nothing", "")).reason("backups/log.auto"), Reason::missing);
}

TEST(BackupHistoryTable, ACastThatSomebodyMadeIsNotCalled) {
  const Database db;
  db.run(R"(CREATE TYPE what AS ENUM ('auto'); CREATE TABLE called (n int);
    CREATE FUNCTION leak(what) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;
    CREATE CAST (what AS text) WITH FUNCTION leak(what) AS IMPLICIT;
    CREATE TABLE history (at timestamptz, what what, status text);
    INSERT INTO history VALUES (now(), 'auto', 'ok');)");
  const Findings found =
      look_at_backups(db, history("auto = { values = [\"auto\"], every = \"6h\" }"));
  EXPECT_EQ(found.state("backups/log.auto"), State::proven);
}

TEST(BackupRetention, IsUnprovenWhileTheHistoryGrows) {
  const Database db;
  db.run(kHistory);
  db.run(
      "INSERT INTO history VALUES (now() - interval '2 days', 'auto', 'ok'), (now(), 'auto', "
      "'ok')");
  const std::string config = history("auto = { values = [\"auto\"] }", "retention = \"7d\"");
  Findings found = look_at_backups(db, config);
  EXPECT_EQ(found.reason("backups/log"), Reason::pending);
  EXPECT_FALSE(found.value("pg_integrity_backup_retention_seconds"));
  // The oldest copy goes before its time, so the history no longer grows.
  db.run("DELETE FROM history WHERE at < now() - interval '1 day'");
  found = look_at_backups(db, config, found.saved);
  EXPECT_EQ(found.violated(), "backups/log");
  found = look_at_backups(db, config, found.saved);
  EXPECT_EQ(found.violated(), "backups/log") << "it stays so";
  db.run("INSERT INTO history VALUES (now() - interval '8 days', 'auto', 'ok')");
  found = look_at_backups(db, config, found.saved);
  EXPECT_EQ(found.reason("backups/log"), Reason::not_configured)
      << "a row proves no copy, but violates nothing either";
  EXPECT_NEAR(found.value("pg_integrity_backup_retention_seconds").value(), 8 * 24 * kHour, 60);
}

TEST(BackupRetention, GrowsWhileItIsMissed) {
  const Database db;
  db.run(kHistory);
  db.run(
      "INSERT INTO history VALUES (now() - interval '3 days', 'auto', 'ok'), (now() - interval "
      "'1 day', 'auto', 'ok')");
  const std::string config = history("auto = { values = [\"auto\"] }", "retention = \"7d\"");
  Findings found = look_at_backups(db, config);
  db.run("DELETE FROM history WHERE at < now() - interval '2 days'");
  found = look_at_backups(db, config, found.saved);
  EXPECT_EQ(found.violated(), "backups/log");
  EXPECT_NEAR(found.value("pg_integrity_backup_retention_seconds").value(), 24 * kHour, 60);
  // The same row as an hour later.
  db.run("UPDATE history SET at = at - interval '1 hour'");
  found = look_at_backups(db, config, found.saved);
  EXPECT_EQ(found.violated(), "backups/log");
  EXPECT_NEAR(found.value("pg_integrity_backup_retention_seconds").value(), 25 * kHour, 60)
      << "no value of the past beside a pass of now";
}

/// A directory with files whose times a test sets.
class BackupDirectory {
 public:
  std::string file(const std::string& name, const std::string& content, double hours_old) const {
    std::string path = directory_.write(name, content);
    set_age(path, hours_old);
    return path;
  }

  static void set_age(const std::string& path, double hours_old) {
    const time_t when = std::time(nullptr) - static_cast<time_t>(hours_old * kHour);
    const utimbuf times{when, when};
    ::utime(path.c_str(), &times);
  }

  [[nodiscard]] const std::string& path() const { return directory_.path(); }

  [[nodiscard]] std::string source(const std::string& rest) const {
    return "[[server.backups]]\nname = \"dir\"\ndirectory = \"" + path() + "\"\n" + rest + "\n";
  }

 private:
  TemporaryDirectory directory_;
};

const std::string kDump = plain_dump();

/// What becomes of `retention = "7d"` when the oldest backups of a directory have these ages.
std::optional<State> retention_of(const std::vector<double>& days, const std::string& schedule) {
  const Database db;
  const BackupDirectory backups;
  for (const double age : days) backups.file("d" + std::to_string(age) + ".dump", kDump, age * 24);
  return look_at_backups(db,
                         backups.source("pattern = \"*.dump\"\nretention = \"7d\"\n" + schedule))
      .state("backups/dir");
}

TEST(BackupRetention, IsMetByARotationThatHasJustRemovedOne) {
  for (const char* schedule : {"every = \"24h\"", "at = [\"02:00\"]", ""}) {
    SCOPED_TRACE(schedule);
    EXPECT_EQ(retention_of({0.01, 1, 2, 3, 4, 5, 6.01}, schedule), State::proven)
        << "seven are kept, and the eighth is gone";
    EXPECT_EQ(retention_of({0.3, 1.3, 2.3, 3.3, 4.3, 5.3, 6.3}, schedule), State::proven);
    EXPECT_EQ(retention_of({0.01, 1, 2, 3, 4, 5}, schedule), State::unproven) << "six are kept";
  }
  EXPECT_EQ(retention_of({0.01, 5.9}, "every = \"6h\""), State::unproven)
      << "a run is six hours here";
  EXPECT_EQ(retention_of({0.01, 6.8}, "every = \"6h\""), State::proven);
}

TEST(BackupDirectory, TakesTheModificationTimeWhereNothingElseSaysMore) {
  const Database db;
  const BackupDirectory backups;
  backups.file("a.dump", kDump, 30);
  backups.file("b.dump", plain_dump(4000), 3);
  backups.file("ignored.txt", kDump, 1);
  const Findings found = look_at_backups(
      db, backups.source("pattern = \"*.dump\"\nevery = \"24h\"\nretention = \"1d\""));
  EXPECT_NEAR(found.value("pg_integrity_backup_age_seconds", of("dir", "dump")).value(), 3 * kHour,
              60);
  EXPECT_EQ(found.value("pg_integrity_backup_last_size_bytes", of("dir", "dump")), 4000);
  EXPECT_EQ(found.value("pg_integrity_backup_info", {{"time_source", "mtime"}}), 1);
  EXPECT_EQ(found.value("pg_integrity_backups", {{"status", "success"}}), 2);
  EXPECT_EQ(found.state("backups/dir.dump"), State::proven);
  EXPECT_EQ(found.state("backups/dir"), State::proven);
}

TEST(BackupDirectory, AShrunkenBackupIsAFinding) {
  const Database db;
  const BackupDirectory backups;
  const std::string source = backups.source("every = \"24h\"\nsize_ratio_min = 0.5");
  for (const int hours : {26, 50, 74})
    backups.file("old" + std::to_string(hours) + ".dump", plain_dump(hours == 50 ? 90000 : 10000),
                 hours);
  Findings found = look_at_backups(db, backups.source("size_ratio_min = 0.5"));
  EXPECT_FALSE(found.value("pg_integrity_backup_size_ratio")) << "two are too few to compare with";
  backups.file("new.dump", plain_dump(6000), 2);
  found = look_at_backups(db, source);
  EXPECT_EQ(found.value("pg_integrity_backup_size_ratio"), 0.6) << "one large one is no rule";
  EXPECT_EQ(found.state("backups/dir.dump"), State::proven);
  backups.file("newest.dump", plain_dump(4000), 1);
  found = look_at_backups(db, source);
  EXPECT_EQ(found.value("pg_integrity_backup_size_ratio"), 0.4);
  EXPECT_EQ(found.violated(), "backups/dir.dump");
}

TEST(BackupDirectory, TheNextOneNeedsRoom) {
  const Database db;
  const BackupDirectory backups;
  const auto room = [&](const std::string& least) {
    return look_at_backups(db, backups.source("room_min = " + least));
  };
  EXPECT_EQ(room("1.5").reason("backups/dir.dump"), Reason::missing) << "how large will it be?";
  backups.file("small.dump", kDump, 1);
  backups.file("large.dump", plain_dump(1'000'000), 30);
  struct statvfs facts {};
  ASSERT_EQ(::statvfs(backups.path().c_str(), &facts), 0);
  const double free = static_cast<double>(facts.f_bavail) * static_cast<double>(facts.f_frsize);
  Findings found = room("1.5");
  EXPECT_NEAR(found.value("pg_integrity_backup_room_ratio").value() / (free / 1e6), 1, 0.1)
      << "of the largest of those before";
  EXPECT_EQ(found.state("backups/dir.dump"), State::proven);
  found = room("1000000000000");
  EXPECT_EQ(found.violated(), "backups/dir.dump");
  EXPECT_FALSE(look_at_backups(db, backups.source("every = \"24h\""))
                   .value("pg_integrity_backup_room_ratio"))
      << "nobody asked";
}

TEST(BackupDirectory, TakesTheTimeFromTheNameAndTheOlderOfTwo) {
  const Database db;
  const BackupDirectory backups;
  const time_t then = std::time(nullptr) - 50 * 3600;
  char name[64];
  std::strftime(name, sizeof name, "db-%Y-%m-%d_%H-%M-%S.dump", std::gmtime(&then));
  backups.file(name, kDump, 1);  // an old dump, freshly copied
  const Findings found = look_at_backups(db, backups.source("every = \"24h\""));
  EXPECT_NEAR(found.value("pg_integrity_backup_age_seconds", of("dir", "dump")).value(), 50 * kHour,
              60);
  EXPECT_EQ(found.value("pg_integrity_backup_info", {{"time_source", "name"}}), 1);
  EXPECT_EQ(found.violated(), "backups/dir.dump");
}

TEST(BackupDirectory, ReadsTheHeadersOfRealDumpsInEveryFormat) {
  const Database db;
  db.run("CREATE TABLE t AS SELECT generate_series(1, 1000) i");
  const BackupDirectory backups;
  const auto dump = [&](const std::string& name, std::vector<std::string> options) {
    std::vector<std::string> command{Cluster::programs() + "/pg_dump", "-d", db.dsn(), "-f",
                                     backups.path() + "/" + name};
    command.insert(command.end(), options.begin(), options.end());
    const Finished finished = run(command, {{{"TZ", "UTC"}}, {}, false});
    ASSERT_EQ(finished.status, 0) << finished.err;
  };
  dump("custom.dump", {"-Fc"});
  dump("tarred.dump", {"-Ft"});
  dump("folder.dump", {"-Fd"});
  dump("plain.dump", {"-Fp", "--verbose"});
  ASSERT_EQ(run({"gzip", backups.path() + "/plain.dump"}).status, 0);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(backups.path()))
    BackupDirectory::set_age(entry.path(), 0.5);
  // The headers say "now". The test gave the files an older modification time, so that one wins.
  // Once the modification time is later, the header counts.
  std::string kinds = "settle = \"0s\"\nmin_size = 0\n";
  for (const char* kind : {"custom", "tarred", "folder", "plain"})
    kinds += "[server.backups.kinds." + std::string(kind) + "]\npattern = \"" + kind +
             ".dump*\"\nevery = \"1h\"\n";
  Findings found = look_at_backups(db, backups.source(kinds));
  EXPECT_EQ(found.page.all("pg_integrity_backup_info", {{"time_source", "mtime"}}).size(), 4U);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(backups.path()))
    BackupDirectory::set_age(entry.path(), -0.25);
  found = look_at_backups(db, backups.source(kinds));
  EXPECT_EQ(found.page.all("pg_integrity_backup_info", {{"time_source", "header"}}).size(), 0U)
      << "changed in the future: still being written";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(backups.path()))
    BackupDirectory::set_age(entry.path(), 0);
  found = look_at_backups(db, backups.source(kinds));
  EXPECT_EQ(found.page.all("pg_integrity_backup_info", {{"time_source", "header"}}).size(), 4U);
  for (const Series& series : found.page.all("pg_integrity_backup_age_seconds"))
    EXPECT_LT(series.value, 120) << series.labels.at("kind");
}

TEST(BackupDirectory, WhatIsTooSmallOrStillWrittenIsNoBackup) {
  const Database db;
  const BackupDirectory backups;
  backups.file("empty.dump", "", 1);
  backups.file("growing.dump", kDump, 0);
  const Findings found = look_at_backups(db, backups.source("every = \"24h\""));
  EXPECT_EQ(found.value("pg_integrity_backups", {{"status", "failed"}}), 1);
  EXPECT_EQ(found.value("pg_integrity_backups", {{"status", "running"}}), 1);
  EXPECT_EQ(found.value("pg_integrity_backups", {{"status", "success"}}), 0);
  EXPECT_EQ(found.reason("backups/dir.dump"), Reason::missing);
}

TEST(BackupDirectory, WhatIsNoBackupProvesNothing) {
  const Database db;
  const BackupDirectory backups;
  backups.file("page.dump", "<html>404 Not Found</html>" + std::string(5000, ' '), 1);
  Findings found = look_at_backups(db, backups.source("every = \"24h\"\nretention = \"1h\""));
  EXPECT_EQ(found.value("pg_integrity_backups", {{"status", "other"}}), 1);
  EXPECT_EQ(found.value("pg_integrity_backups", {{"status", "success"}}), 0);
  EXPECT_EQ(found.reason("backups/dir.dump"), Reason::missing);
  EXPECT_EQ(found.reason("backups/dir"), Reason::missing) << "nor does it reach back";
  backups.file("good.dump", kDump, 30);
  found = look_at_backups(db, backups.source("every = \"24h\""));
  EXPECT_EQ(found.violated(), "backups/dir.dump") << "a newer one does not hide that";
}

TEST(BackupDirectory, AnEntryThatCannotBeReadMayBeTheNewest) {
  const Database db;
  const BackupDirectory backups;
  backups.file("old.dump", kDump, 3);
  const std::string sealed = backups.path() + "/sealed.dump";
  std::filesystem::create_directory(sealed);
  ::chmod(sealed.c_str(), 0000);
  BackupDirectory::set_age(sealed, 5);
  const auto look_unprivileged = [&] {
    const Unprivileged nobody;
    return look_at_backups(db, backups.source("every = \"24h\""));
  };
  EXPECT_EQ(look_unprivileged().state("backups/dir.dump"), State::proven) << "it is an older one";
  BackupDirectory::set_age(sealed, 1);
  const Findings found = look_unprivileged();
  EXPECT_EQ(found.value("pg_integrity_backups", {{"status", "other"}}), 1);
  EXPECT_EQ(found.reason("backups/dir.dump"), Reason::permission);
  EXPECT_NEAR(found.value("pg_integrity_backup_age_seconds").value(), 3 * kHour, 60)
      << "what is known is shown";
}

TEST(BackupDirectory, OddEntriesAreNoBackupsAndBlockNothing) {
  const Database db;
  const BackupDirectory backups;
  backups.file("good.dump", kDump, 1);
  ASSERT_EQ(::mkfifo((backups.path() + "/pipe.dump").c_str(), 0600), 0);
  ASSERT_EQ(::symlink("loop.dump", (backups.path() + "/loop.dump").c_str()), 0);
  const Findings found = look_at_backups(db, backups.source("every = \"24h\""));
  EXPECT_EQ(found.value("pg_integrity_backups", {{"status", "success"}}), 1);
  EXPECT_EQ(found.value("pg_integrity_backups", {{"status", "other"}}), 2);
  EXPECT_EQ(found.state("backups/dir.dump"), State::proven);
}

TEST(BackupDirectory, AMissingDirectoryIsUnproven) {
  const Database db;
  const Findings found = look_at_backups(
      db, "[[server.backups]]\nname = \"dir\"\ndirectory = \"/nowhere/at/all\"\nevery = \"24h\"\n");
  EXPECT_EQ(found.reason("backups/dir.dump"), Reason::io);
}

TEST(BackupDirectory, IsReadWhileTheDatabaseIsDown) {
  const BackupDirectory backups;
  backups.file("a.dump", kDump, 3);
  const std::string nobody =
      "host=127.0.0.1 port=" + std::to_string(free_port()) + " user=x dbname=x";
  const Findings found = look(one_server(
      nobody,
      backups.source("every = \"24h\"") + history("auto = { values = [\"auto\"], every = \"6h\" }"),
      "backups"));
  EXPECT_NEAR(found.value("pg_integrity_backup_age_seconds", of("dir", "dump")).value(), 3 * kHour,
              60);
  EXPECT_EQ(found.state("backups/dir.dump"), State::proven);
  EXPECT_EQ(found.reason("backups/log.auto"), Reason::pending);
  EXPECT_EQ(found.value("pg_integrity_collector_success", {{"collector", "backups"}}), 0);
}

}  // namespace
}  // namespace pg_integrity::test::backups_test
