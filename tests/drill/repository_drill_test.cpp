// Drills of repositories of the real pgBackRest and the real Barman: to the newest point, and to
// moments. The tests with DISABLED_ before their names are those of tests/campaign drills.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "collectors/recovery/drill_records.h"
#include "exporter/drill/recovery.h"
#include "exporter/io/clock.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/files.h"
#include "exporter/io/json_reader.h"
#include "tests/support/paths.h"
#include "tests/support/repository.h"

namespace pg_integrity::test::repository_drill_test {
namespace {

namespace fs = std::filesystem;

std::string toml(const std::vector<std::string>& texts) {
  std::string array;
  for (const std::string& text : texts)
    array.append(array.empty() ? "" : ", ").append("\"").append(text).append("\"");
  return "[" + array + "]";
}

/// A cluster that writes a row each twentieth of a second, and its repository.
template <typename Repository>
class RepositoryDrill : public ::testing::Test {
 protected:
  RepositoryDrill() {
    for (const auto* folder : {&records_, &work_})
      if (::geteuid() == 0) Program::must(run({"chown", "postgres:", folder->path()}));
    database_.run(
        "CREATE TABLE tick (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, created_at timestamptz"
        " NOT NULL DEFAULT clock_timestamp());"
        "INSERT INTO tick (created_at) SELECT now() - interval '1 day' FROM generate_series(1, "
        "50)");
  }
  void TearDown() override {
    EXPECT_TRUE(fs::is_empty(work_.path())) << "nothing outlives a drill";
  }

  /// Writes rows for that long, one a transaction.
  void write_for(int seconds) const {
    database_.run(
        "CREATE PROCEDURE write() LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1.." +
        std::to_string(seconds * 20) +
        " LOOP INSERT INTO tick DEFAULT VALUES; COMMIT; PERFORM pg_sleep(0.05); END LOOP; END $$");
    database_.run("CALL write()");
    database_.run("DROP PROCEDURE write()");
  }
  void configure(const std::string& source) const {
    static_cast<void>(records_.write(
        "exporter.toml", "[[server]]\nname = \"test\"\ndsn = \"" + database_.dsn() +
                             "\"\ndrills = { directory = \"" + records_.path() +
                             "\" }\n[[server.backups]]\nname = \"repo\"\n" + source + "\n"));
  }
  Finished drill(const std::vector<std::string>& options = {}) const {
    std::vector<std::string> words{program(),    "drill",
                                   "--config",   records_.path() + "/exporter.toml",
                                   "--work-dir", work_.path()};
    words.insert(words.end(), options.begin(), options.end());
    return run(words);
  }
  [[nodiscard]] DrillRecord newest() const {
    WorkerFiles files(workers_, clock_.now() + Seconds(60));
    const auto read = DrillReader().read(files, SaxJson(), records_.path());
    DrillRecord newest;
    for (const DrillRecord& one : read.records)
      if (one.started > newest.started) newest = one;
    return newest;
  }
  [[nodiscard]] double rows_until(UnixTime moment) const {
    return std::stod(database_.ask("SELECT count(*) FROM tick WHERE created_at <= to_timestamp(" +
                                   std::to_string(moment) + ")"));
  }
  /// Expects that the newest drill succeeded and that the copy is of its target.
  void expect_recovered(const Finished& finished) const {
    EXPECT_EQ(finished.status, 0) << finished.err;
    const DrillRecord drill = newest();
    EXPECT_EQ(drill.outcome, DrillOutcome::success) << finished.err;
    EXPECT_GT(drill.duration, Seconds(0));
    ASSERT_TRUE(drill.recovered_to);
    const UnixTime until = drill.target.value_or(1e11);
    EXPECT_LE(*drill.recovered_to, until);
    for (const DrilledTable& table : drill.tables)
      if (table.table == "tick") {
        EXPECT_NEAR(table.rows.value(), rows_until(until), 1) << "a commit follows its row";
        return;
      }
    ADD_FAILURE() << "the table was not compared: " << finished.err;
  }
  [[nodiscard]] std::string files_of(const std::string& folder) const {
    return run({"sh", "-c", "find " + folder + " -type f -printf '%p %s %T@\\n' | sort"}).out;
  }

  Repository repository_;
  Database database_{repository_.cluster(), "shop"};
  TemporaryDirectory records_;
  TemporaryDirectory work_;
  SystemClock clock_;
  mutable DisposableWorkers workers_{clock_};
};

class PgBackRestDrill : public RepositoryDrill<PgBackRestRepository> {
 protected:
  void SetUp() override {
    static_cast<void>(repository_.ask({"stanza-create"}));
    static_cast<void>(repository_.ask({"--type=full", "backup"}));
    configure("pgbackrest = { command = " + toml(repository_.command({"info", "--output=json"})) +
              ", drill_command = " + toml(repository_.command({})) + " }");
  }
  /// Waits until the WAL up to now is archived.
  void archive() const {
    const std::string segment = database_.ask("SELECT pg_walfile_name(pg_switch_wal())");
    EXPECT_TRUE(eventually([&] {
      return database_.ask("SELECT last_archived_wal FROM pg_stat_archiver") >= segment;
    }));
  }
};

TEST_F(PgBackRestDrill, RecoversToTheNewestPointAndToMoments) {
  write_for(1);
  archive();
  const std::string before = files_of(repository_.path() + "/repo");
  const Finished newest_point = drill();
  expect_recovered(newest_point);
  EXPECT_EQ(newest().kind, "recovery");
  EXPECT_NE(newest_point.err.find("measured recovery time (RTO) "), std::string::npos);
  const Finished chosen = drill({"--random-target", "--seed", "7"});
  expect_recovered(chosen);
  EXPECT_EQ(newest().seed, 7);
  const auto target = newest().target;
  ASSERT_TRUE(target);
  EXPECT_NE(chosen.err.find("target " + format_moment(*target) + "; seed 7"), std::string::npos)
      << chosen.err;
  expect_recovered(drill({"--target-time", format_moment(*target)}));
  EXPECT_EQ(newest().target, target);
  EXPECT_EQ(files_of(repository_.path() + "/repo"), before);
}

TEST_F(PgBackRestDrill, DISABLED_ADamagedRepositoryFailsAndOneThatIsAwayIsUnproven) {
  archive();
  const std::string repo = repository_.path() + "/repo";
  fs::rename(repo, repo + ".away");
  EXPECT_EQ(drill().status, 2);
  EXPECT_EQ(newest().outcome, DrillOutcome::unproven);
  fs::rename(repo + ".away", repo);
  const Finished found = run({"sh", "-c",
                              "find " + repo +
                                  "/backup -name 'pg_class*' -o -name "
                                  "'1259*.gz' | head -n 1"});
  const std::string file = found.out.substr(0, found.out.find('\n'));
  ASSERT_FALSE(file.empty());
  fs::resize_file(file, fs::file_size(file) / 2);
  const Finished finished = drill();
  EXPECT_EQ(finished.status, 1) << finished.err;
  EXPECT_EQ(newest().outcome, DrillOutcome::failed);
}

TEST_F(PgBackRestDrill, DISABLED_TenRandomMomentsOfABusyAndAQuietDatabase) {
  write_for(4);
  const UnixTime quiet = clock_.unix_now();
  database_.run("SELECT pg_sleep(4)");
  archive();
  for (int seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    expect_recovered(drill({"--random-target", "--seed", std::to_string(seed)}));
    EXPECT_EQ(newest().seed, seed);
  }
  expect_recovered(drill({"--target-time", format_moment(quiet + 2)}));
  EXPECT_NEAR(newest().recovered_to.value(), quiet, 2) << "nobody wrote after it";
  expect_recovered(drill());
}

class BarmanDrill : public RepositoryDrill<BarmanRepository> {
 protected:
  void SetUp() override {
    repository_.backup();
    configure("barman = { command = " +
              toml(repository_.command({"-f", "json", "list-backups", "main"})) +
              ", drill_command = " + toml(repository_.command({})) + ", server = \"main\" }");
  }
  /// Waits until the WAL up to now is archived.
  void archive() const {
    const std::string segment = database_.ask("SELECT pg_walfile_name(pg_current_wal_lsn())");
    EXPECT_TRUE(eventually([&] {
      repository_.send_wal();
      static_cast<void>(run(repository_.command({"cron"}), Program::kOwn));
      return repository_.ask({"list-files", "main", "latest", "--target", "wal"}).find(segment) !=
             std::string::npos;
    }));
  }
};

TEST_F(BarmanDrill, DISABLED_RecoversToTheNewestPointAndToTenMoments) {
  write_for(4);
  const UnixTime quiet = clock_.unix_now();
  database_.run("SELECT pg_sleep(4)");
  archive();
  const std::string before = files_of(repository_.path() + "/home/main/base");
  expect_recovered(drill());
  for (int seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    expect_recovered(drill({"--random-target", "--seed", std::to_string(seed)}));
  }
  expect_recovered(drill({"--target-time", format_moment(quiet + 2)}));
  EXPECT_EQ(files_of(repository_.path() + "/home/main/base"), before);
}

}  // namespace
}  // namespace pg_integrity::test::repository_drill_test
