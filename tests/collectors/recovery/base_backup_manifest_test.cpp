// Base backups of the real pg_basebackup, whole and damaged. The tests see which of them count, and
// whether the WAL that they need is there.
#include "collectors/recovery/base_backup_manifest.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "exporter/evidence/verdict.h"
#include "tests/support/base_backup.h"
#include "tests/support/content.h"
#include "tests/support/observer.h"

namespace pg_integrity::test::base_backup_manifest_test {
namespace {

namespace fs = std::filesystem;

class BaseBackups : public ::testing::Test {
 protected:
  std::string take(const std::string& name, const std::vector<std::string>& options = {}) const {
    std::string path = backups_.path() + "/" + name;
    take_base_backup(cluster_, path, options);
    return path;
  }
  /// The segments that a backup needs.
  static std::vector<std::string> needs(const std::string& backup) {
    const auto manifest = read_manifest(content_of(backup + "/backup_manifest"));
    const auto needed =
        manifest ? segments_needed(*manifest, content_of(backup + "/backup_label")) : std::nullopt;
    if (!needed || needed->empty()) throw std::runtime_error("nothing is needed");
    return *needed;
  }
  [[nodiscard]] Findings look_at(const std::string& settle = "0s") const {
    return look(one_server(database_.dsn(),
                           "[[server.backups]]\nname = \"base\"\ndirectory = \"" + backups_.path() +
                               "\"\nevery = \"24h\"\nsettle = \"" + settle + "\"\n" +
                               archive_option_,
                           "backups"));
  }
  static std::string status(const Findings& found) {
    std::string statuses;
    for (const char* status : {"success", "failed", "running", "other"})
      if (found.value("pg_integrity_backups", {{"status", status}}) == 1) statuses += status;
    return statuses;
  }

  const Cluster cluster_;
  const Database database_{const_cast<Cluster&>(cluster_)};
  const TemporaryDirectory backups_;
  const TemporaryDirectory archive_;
  std::string archive_option_ = "wal_archive = \"" + archive_.path() + "\"\n";
};

TEST_F(BaseBackups, AWholeOneCountsWithItsOwnTimeAndSize) {
  take("a");
  const Findings found = look_at();
  EXPECT_EQ(status(found), "success");
  EXPECT_EQ(found.state("backups/base.dump"), State::proven);
  EXPECT_EQ(found.value("pg_integrity_backup_proof_level"), 1);
  EXPECT_EQ(found.value("pg_integrity_backup_info", {{"time_source", "header"}}), 1);
  EXPECT_LT(found.value("pg_integrity_backup_age_seconds").value(), 60);
  EXPECT_EQ(found.value("pg_integrity_backup_wal_missing"), 0);
  EXPECT_GT(found.value("pg_integrity_backup_last_size_bytes").value(), 15e6) << "of all files";
}

TEST_F(BaseBackups, TheLogThatOneNeedsMustBeInItOrInTheArchive) {
  const std::string backup = take("a", {"-X", "none"});
  const std::string segment = needs(backup).front();
  Findings found = look_at();
  EXPECT_EQ(status(found), "failed");
  EXPECT_EQ(found.value("pg_integrity_backup_wal_missing"), 1);
  EXPECT_EQ(found.violated(), "backups/base.dump");
  EXPECT_FALSE(found.value("pg_integrity_backup_age_seconds")) << "it does not count";
  std::ofstream(archive_.path() + "/" + segment + ".partial") << "no whole segment";
  EXPECT_EQ(look_at().value("pg_integrity_backup_wal_missing"), 1);
  for (const char* ending : {"", ".gz", ".zst"}) {
    std::ofstream(archive_.path() + "/" + segment + ending) << "archived";
    found = look_at();
    EXPECT_EQ(status(found), "success") << ending;
    EXPECT_EQ(found.value("pg_integrity_backup_wal_missing"), 0) << ending;
    fs::remove(archive_.path() + "/" + segment + ending);
  }
}

TEST_F(BaseBackups, DamagedOnesFail) {
  const std::vector<void (*)(const std::string&)> damages{
      [](const std::string& path) { fs::remove(path + "/backup_manifest"); },
      [](const std::string& path) {
        fs::resize_file(path + "/backup_manifest", fs::file_size(path + "/backup_manifest") / 2);
      },
      [](const std::string& path) { fs::remove(path + "/backup_label"); },
      [](const std::string& path) { fs::remove(path + "/pg_wal/" + needs(path).front()); },
      [](const std::string& path) { fs::resize_file(path + "/pg_wal/" + needs(path).front(), 0); }};
  for (std::size_t i = 0; i < damages.size(); ++i) {
    SCOPED_TRACE(i);
    const std::string backup = take("a");
    damages[i](backup);
    const Findings found = look_at();
    EXPECT_EQ(status(found), "failed");
    EXPECT_FALSE(found.value("pg_integrity_backup_age_seconds"));
    fs::remove_all(backup);
  }
}

TEST_F(BaseBackups, TarFilesAreTakenForOneByTheirManifestAndLabel) {
  for (const std::vector<std::string>& form : {std::vector<std::string>{"-Ft"}, {"-Ft", "-z"}}) {
    const std::string backup = take("a", form);
    const Findings found = look_at();
    EXPECT_EQ(status(found), "success");
    fs::remove_all(backup);
  }
  take("a", {"-Ft", "-X", "fetch"});
  archive_option_.clear();
  EXPECT_EQ(status(look_at()), "other") << "its log is in base.tar, or nowhere";
}

TEST_F(BaseBackups, OneWithoutAManifestMayStillBeWritten) {
  fs::remove(take("a") + "/backup_manifest");
  EXPECT_EQ(status(look_at("1h")), "running");
}

TEST(BackupManifest, IsReadUpToItsEndOrNotAtAll) {
  const std::string sum(64, 'a');
  const auto manifest = [&](const std::string& ranges, const std::string& end) {
    return "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [\n{ \"Path\": "
           "\"a\\\"Size\\\": "
           "9\", \"Size\": 225, \"Checksum\": \"x\" },\n{ \"Path\": \"b\", \"Size\": 75 }\n],\n"
           "\"WAL-Ranges\": [\n" +
           ranges + "\n],\n\"Manifest-Checksum\": \"" + end;
  };
  const std::string range =
      R"({ "Timeline": 2, "Start-LSN": "1/FF000028", "End-LSN": "2/1000000" })";
  const auto read = read_manifest(manifest(range, sum + "\"}\n"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->bytes, 300);
  ASSERT_EQ(read->wal.size(), 1U);
  const std::string label = "START WAL LOCATION: 1/FF000028 (file 0000000200000001000000FF)\n";
  const auto needed = segments_needed(*read, label);
  ASSERT_TRUE(needed);
  EXPECT_EQ(*needed,
            (std::vector<std::string>{"0000000200000001000000FF", "000000020000000200000000"}));
  EXPECT_FALSE(segments_needed(*read, "START WAL LOCATION: 1/FF000028 (file nothing)\n"));
  for (const std::string& end : {sum, sum + "\"", sum.substr(1) + "\"}", std::string()})
    EXPECT_FALSE(read_manifest(manifest(range, end))) << end;
  EXPECT_FALSE(read_manifest(manifest(R"({ "Timeline": 2, "Start-LSN": "x" })", sum + "\"}\n")));
  EXPECT_FALSE(read_manifest(""));
  EXPECT_FALSE(read_manifest(manifest(range, sum + "\"}\n") + "\"WAL-Ranges\": [" +
                             range.substr(0, range.size() - 1)));
  const auto endless = read_manifest(
      manifest(R"({ "Timeline": 1, "Start-LSN": "0/0", "End-LSN": "FFFFFFFF/0" })", sum + "\"}\n"));
  ASSERT_TRUE(endless);
  EXPECT_FALSE(segments_needed(*endless, label)) << "more than there can be";
}

}  // namespace
}  // namespace pg_integrity::test::base_backup_manifest_test
