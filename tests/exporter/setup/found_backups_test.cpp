#include "exporter/setup/found_backups.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <ctime>
#include <filesystem>

#include "tests/support/temporary.h"

namespace pg_integrity::test::found_backups_test {
namespace {

class Here : public ::testing::Test {
 protected:
  /// A file that was written so many hours ago.
  void file(const std::string& name, double hours_ago = 0) const {
    const std::filesystem::path path = directory_.path() + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    const std::string written = directory_.write(name, "x");
    const timespec when{std::time(nullptr) - static_cast<std::time_t>(hours_ago * 3600), 0};
    const timespec times[2] = {when, when};
    ASSERT_EQ(::utimensat(AT_FDCWD, written.c_str(), times, 0), 0);
  }
  void config(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(
        std::filesystem::path(directory_.path() + "/" + name).parent_path());
    directory_.write(name, text);
  }
  [[nodiscard]] FoundBackups find() const {
    return find_backups({directory_.path() + "/backups", directory_.path() + "/none"},
                        directory_.path());
  }
  TemporaryDirectory directory_;
};

TEST_F(Here, NothingIsFoundWhereNothingIs) {
  file("backups/readme.txt");
  const FoundBackups found = find();
  EXPECT_TRUE(found.dumps.empty());
  EXPECT_TRUE(found.stanzas.empty());
  EXPECT_TRUE(found.barman_servers.empty());
  EXPECT_FALSE(found.pgbackrest);
}

TEST_F(Here, TheTimesOfDumpsTellTheirSchedule) {
  for (int i = 0; i < 7; ++i) file("backups/shop/" + std::to_string(i) + ".dump", 24.2 * i + 3);
  for (int i = 0; i < 5; ++i) file("backups/" + std::to_string(i) + ".sql.gz", 6 * i + 1);
  file("backups/once.sql");
  const FoundBackups found = find();
  ASSERT_EQ(found.dumps.size(), 3U);
  EXPECT_EQ(found.dumps[0].pattern, "*.sql");
  EXPECT_EQ(found.dumps[0].every, Seconds(0)) << "one file tells no schedule";
  EXPECT_EQ(found.dumps[1].pattern, "*.sql.gz");
  EXPECT_EQ(found.dumps[1].every, Seconds(6 * 3600));
  EXPECT_EQ(found.dumps[2].directory, directory_.path() + "/backups/shop");
  EXPECT_EQ(found.dumps[2].pattern, "*.dump");
  EXPECT_EQ(found.dumps[2].every, Seconds(86400));
  EXPECT_EQ(found.dumps[2].files, 7U);
}

TEST_F(Here, TheToolsAreFoundByTheirConfiguration) {
  config("etc/pgbackrest/pgbackrest.conf",
         "[global]\nrepo1-path=/r\n[global:archive-push]\n[main]\npg1-path=/d\n[main:backup]\n");
  config("etc/barman.conf", "[barman]\nbarman_home = /b\n");
  config("etc/barman.d/shop.conf", "; a comment\n[shop]\nconninfo = host=db\n");
  config("etc/barman.d/off.conf.disabled", "[off]\n");
  const FoundBackups found = find();
  EXPECT_EQ(found.stanzas, std::vector<std::string>{"main"});
  EXPECT_EQ(found.barman_servers, std::vector<std::string>{"shop"});
}

}  // namespace
}  // namespace pg_integrity::test::found_backups_test
