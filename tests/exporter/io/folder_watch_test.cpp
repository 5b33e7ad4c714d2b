#include "exporter/io/folder_watch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <stdexcept>

#include "tests/support/clock.h"
#include "tests/support/temporary.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::folder_watch_test {
namespace {

constexpr Seconds kEvery{30};

class FolderWatchOf : public ::testing::Test {
 protected:
  /// Lets the watch look once, or twice.
  bool tells_of_change() {
    const int before = changes_;
    const int looks = looks_;
    return eventually([&] {
             clock_.advance(kEvery);
             return changes_ > before || looks_ > looks + 3;
           }) &&
           changes_ > before;
  }

  SteppedClock clock_;
  DisposableWorkers workers_{clock_};
  TemporaryDirectory directory_;
  std::atomic<int> changes_ = 0;
  std::atomic<int> looks_ = 0;
  std::atomic<bool> broken_ = false;
  std::string file_ = directory_.write("a.toml", "1");
  FolderWatch watch_{"test",
                     [this] {
                       ++looks_;
                       if (broken_) throw std::runtime_error("cannot be read");
                       return std::vector<std::string>{file_};
                     },
                     kEvery,
                     clock_,
                     workers_,
                     [this] { ++changes_; }};
};

TEST_F(FolderWatchOf, TellsOfTheFirstLookAndThenOfChangesAlone) {
  EXPECT_TRUE(tells_of_change());
  EXPECT_FALSE(tells_of_change());
  directory_.write("a.toml", "12");
  EXPECT_TRUE(tells_of_change());
  EXPECT_FALSE(tells_of_change());
}

TEST_F(FolderWatchOf, SeesThatALinkLeadsElsewhere) {
  const std::string link = directory_.path() + "/..data";
  std::filesystem::create_directory(directory_.path() + "/one");
  std::filesystem::create_directory(directory_.path() + "/two");
  directory_.write("one/a.toml", "same");
  directory_.write("two/a.toml", "same");
  std::filesystem::create_directory_symlink("one", link);
  std::filesystem::remove(file_);
  std::filesystem::create_symlink("..data/a.toml", file_);
  EXPECT_TRUE(tells_of_change());
  EXPECT_FALSE(tells_of_change());
  std::filesystem::remove(link);
  std::filesystem::create_directory_symlink("two", link);
  EXPECT_TRUE(tells_of_change());
}

TEST_F(FolderWatchOf, SeesThatAFileIsGone) {
  EXPECT_TRUE(tells_of_change());
  std::filesystem::remove(file_);
  EXPECT_TRUE(tells_of_change());
}

TEST_F(FolderWatchOf, TellsNothingWhileItCannotLook) {
  EXPECT_TRUE(tells_of_change());
  broken_ = true;
  EXPECT_FALSE(tells_of_change());
  broken_ = false;
  EXPECT_FALSE(tells_of_change());
}

}  // namespace
}  // namespace pg_integrity::test::folder_watch_test
