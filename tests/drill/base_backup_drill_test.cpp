// Proofs and drills of base backups that the real pg_basebackup took.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "collectors/base/instant.h"
#include "collectors/recovery/drill_records.h"
#include "exporter/commands/drill.h"
#include "exporter/drill/run.h"
#include "tests/drill/drilled.h"
#include "tests/support/base_backup.h"

namespace pg_integrity::test::base_backup_drill_test {
namespace {

namespace fs = std::filesystem;

class BaseBackupDrill : public ::testing::Test, public Drilled {
 protected:
  BaseBackupDrill() {
    fill();
    database.run(
        "ALTER TABLE parent ADD COLUMN created_at timestamptz DEFAULT now() - interval '1d'");
  }
  void TearDown() override { EXPECT_EQ(leftovers(), std::vector<std::string>()); }

  void take(const std::vector<std::string>& options = {}) const {
    take_base_backup(database.cluster(), path("a.dump"), options);
  }
  /// The path of the table `child` in the backup.
  [[nodiscard]] std::string file_of_child() const {
    return path("a.dump") + "/" + database.ask("SELECT pg_relation_filepath('child')");
  }
  /// Configures the directory of archived WAL.
  void archive_is(const std::string& directory) const {
    std::ofstream(records.path() + "/exporter.toml", std::ios::app)
        << "wal_archive = \"" << directory << "\"\n";
  }
  void expect_disproof(ProofLevel failed_level, const std::string& what) {
    EXPECT_EQ(drill({"--proof-only"}).status, 1);
    ASSERT_EQ(proofs().size(), 1U);
    EXPECT_EQ(proofs().front().failed_level, failed_level);
    EXPECT_NE(proofs().front().disproof.find(what), std::string::npos) << proofs().front().disproof;
    const Finished finished = drill();
    EXPECT_EQ(finished.status, 1) << finished.err;
    EXPECT_EQ(only_drill().outcome, DrillOutcome::failed);
    EXPECT_NE(reasons_of(only_drill()).find(what), std::string::npos) << reasons_of(only_drill());
  }
};

TEST_F(BaseBackupDrill, AWholeOneIsVerifiedRestoredAndCompared) {
  take();
  EXPECT_EQ(drill({"--proof-only"}).status, 0);
  EXPECT_EQ(proofs().at(0).level, ProofLevel::decoded);
  const Finished finished = drill();
  EXPECT_EQ(finished.status, 0) << finished.err;
  const DrillRecord drilled = only_drill();
  EXPECT_EQ(drilled.outcome, DrillOutcome::success) << reasons_of(drilled);
  EXPECT_NEAR(drilled.backup_time, drilled.started, 60);
  EXPECT_GT(drilled.duration, Seconds(0));
  ASSERT_EQ(drilled.tables.size(), 2U);
  EXPECT_EQ(drilled.tables[0].rows, 500);
  EXPECT_EQ(drilled.tables[0].orphaned_rows, 0);
  EXPECT_EQ(drilled.tables[1].unexplained_rows, 0);
  EXPECT_EQ(proofs().at(0).level, ProofLevel::compared);
}

TEST_F(BaseBackupDrill, AFlippedBitIsFoundByItsChecksum) {
  take();
  flip_bit(file_of_child(), 0.5);
  expect_disproof(ProofLevel::decoded, "checksum mismatch for file");
}

TEST_F(BaseBackupDrill, AMissingFileIsFoundByTheManifest) {
  take();
  fs::remove(file_of_child());
  expect_disproof(ProofLevel::contents, "is present in the manifest but not on disk");
}

TEST_F(BaseBackupDrill, AMissingSegmentOfItsLogIsNamed) {
  take({"-X", "none"});
  expect_disproof(ProofLevel::decoded, "of the log, which is nowhere");
}

TEST_F(BaseBackupDrill, AMissingManifestFails) {
  take();
  fs::remove(path("a.dump") + "/backup_manifest");
  expect_disproof(ProofLevel::contents, "manifest");
}

TEST_F(BaseBackupDrill, TheLogComesFromTheArchive) {
  const TemporaryDirectory archive;
  archive_is(archive.path());
  take({"-X", "none"});
  database.run("SELECT pg_switch_wal()");
  for (const auto& entry : fs::directory_iterator(database.cluster().data_directory() + "/pg_wal"))
    if (entry.is_regular_file()) fs::copy(entry.path(), archive.path() / entry.path().filename());
  EXPECT_EQ(run({"chmod", "-R", "a+rX", archive.path()}).status, 0);
  EXPECT_EQ(drill({"--proof-only"}).status, 0);
  const Finished finished = drill();
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(only_drill().outcome, DrillOutcome::success) << reasons_of(only_drill());
  for (const auto& entry : fs::directory_iterator(archive.path()))
    EXPECT_EQ(run({"gzip", entry.path()}).status, 0);
  EXPECT_EQ(drill().status, 2);
  EXPECT_NE(reasons_of(drills().back()).find("is compressed"), std::string::npos);
}

TEST_F(BaseBackupDrill, StartsWithNothingOfTheSourcesConfiguration) {
  const TemporaryDirectory touched;
  EXPECT_EQ(run({"chmod", "0777", touched.path()}).status, 0);
  take({"-R"});  // standby.signal and primary_conninfo
  const int port = free_port();
  std::ofstream(path("a.dump") + "/postgresql.auto.conf", std::ios::app)
      << "listen_addresses = '127.0.0.1'\nport = " << port
      << "\nshared_preload_libraries = 'no_such_library'\narchive_mode = on\narchive_command = "
         "'touch "
      << touched.path() << "/archived'\nrestore_command = 'touch " << touched.path()
      << "/restored; false'\nsession_preload_libraries = 'no_such_library'\nrecovery_end_command = "
         "'touch "
      << touched.path() << "/ended'\nlog_directory = '" << touched.path()
      << "'\nlogging_collector = on\n";
  const Finished finished = drill();  // pg_verifybackup does not look at that file
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_TRUE(fs::is_empty(touched.path()));
}

TEST_F(BaseBackupDrill, LinksOutOfItAreNotFollowed) {
  take({"-X", "stream", "--waldir", path("log")});
  EXPECT_EQ(drill().status, 2);
  EXPECT_NE(reasons_of(only_drill()).find("holds links"), std::string::npos)
      << reasons_of(only_drill());
  EXPECT_TRUE(proofs().empty()) << "nothing is wrong with it";
}

TEST_F(BaseBackupDrill, AnotherMajorVersionIsUnprovenAndNamed) {
  take();
  std::ofstream(path("a.dump") + "/PG_VERSION") << "9\n";
  EXPECT_EQ(drill().status, 2);
  EXPECT_NE(reasons_of(only_drill()).find("PostgreSQL 9, which is not installed"),
            std::string::npos)
      << reasons_of(only_drill());
}

TEST_F(BaseBackupDrill, WithoutATimeInAnyTableItIsUnproven) {
  database.run("ALTER TABLE parent DROP COLUMN created_at");
  take();
  EXPECT_EQ(drill().status, 2);
  EXPECT_EQ(reasons_of(only_drill()),
            "no table says when its rows were created: none could be proven\n");
}

}  // namespace
}  // namespace pg_integrity::test::base_backup_drill_test
