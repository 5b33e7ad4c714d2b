#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/observer.h"
#include "tests/support/temporary.h"
#include "tests/support/unprivileged.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::files_test {
namespace {

/// A tree of files, and the findings of the collector in it. There is no server, because none is
/// asked.
class FilesIn : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const {
    return place_.path() + "/" + name;
  }

  void file(const std::string& name, std::size_t size = 10) {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    place_.write(name, std::string(size, 'x'));
  }

  [[nodiscard]] std::string configuration(const std::string& patterns,
                                          const std::string& rest = {}) const {
    return one_server("host=127.0.0.1 port=1 dbname=nothing",
                      "[[server.collectors.files.directories]]\npath = \"" + place_.path() +
                          "\"\npatterns = [" + patterns + "]\n" + rest,
                      "files");
  }
  [[nodiscard]] Findings find(const std::string& patterns, const std::string& rest = {}) const {
    return look(configuration(patterns, rest));
  }

  [[nodiscard]] std::string object(const std::string& pattern) const {
    return "files/" + place_.path() + "." + pattern;
  }
  [[nodiscard]] std::optional<double> value(const Findings& found, const std::string& metric,
                                            const std::string& pattern) const {
    return found.value("pg_integrity_file_" + metric,
                       {{"path", place_.path()}, {"pattern", pattern}});
  }

  TemporaryDirectory place_;
};

constexpr const char* kNone = "max_files = 0\nrecursive = true";

TEST_F(FilesIn, AStrayVideoIsFoundByItsPatternAloneAndIsNamed) {
  file("readme.txt");
  file("www/deep/below/Holiday.AVI", 1000);
  const Findings found = find("\"*.avi\", \"*.mp4\"", kNone);
  EXPECT_EQ(found.violated(), object("*.avi"));
  EXPECT_EQ(value(found, "count", "*.avi"), 1);
  EXPECT_EQ(value(found, "count_max", "*.avi"), 0);
  EXPECT_EQ(value(found, "bytes", "*.avi"), 1000);
  EXPECT_EQ(value(found, "count", "*.mp4"), 0);
  EXPECT_EQ(found.object(object("*.avi")).lines,
            std::vector<std::string>{"found: www/deep/below/Holiday.AVI"});
}

TEST_F(FilesIn, WhereThereIsNoneItIsProven) {
  file("readme.txt");
  file("www/index.html");
  const Findings found = find("\"*.avi\", \"*.mp4\"", kNone);
  EXPECT_EQ(found.violated(), "");
  for (const char* pattern : {"*.avi", "*.mp4"})
    EXPECT_EQ(found.state(object(pattern)), State::proven) << pattern;
}

TEST_F(FilesIn, AnEmptyDirectoryHasNoFiles) {
  const Findings found = find("\"*\"", "max_files = 0");
  EXPECT_EQ(found.state(object("*")), State::proven);
  EXPECT_EQ(value(found, "count", "*"), 0);
  EXPECT_EQ(value(found, "bytes", "*"), 0);
}

TEST_F(FilesIn, TooFewAreAViolationToo) {
  file("a.csv");
  EXPECT_EQ(find("\"*.csv\"", "min_files = 2").violated(), object("*.csv"));
  file("b.csv");
  const Findings found = find("\"*.csv\"", "min_files = 2");
  EXPECT_EQ(found.state(object("*.csv")), State::proven);
  EXPECT_EQ(value(found, "count_min", "*.csv"), 2);
  EXPECT_EQ(value(found, "bytes", "*.csv"), 20);
}

TEST_F(FilesIn, WithoutALimitTheyAreShownAndNotJudged) {
  file("a.csv");
  const Findings found = find("\"*.csv\"");
  EXPECT_EQ(found.state(object("*.csv")), State::observed);
  EXPECT_EQ(value(found, "count", "*.csv"), 1);
  EXPECT_FALSE(value(found, "count_max", "*.csv"));
}

TEST_F(FilesIn, CaseMattersOnlyWhereItIsSaidTo) {
  file("X.AVI");
  EXPECT_EQ(value(find("\"*.avi\""), "count", "*.avi"), 1);
  EXPECT_EQ(value(find("\"*.avi\"", "match_case = true"), "count", "*.avi"), 0);
}

TEST_F(FilesIn, DirectoriesBelowCountOnlyWhereItIsSaidTo) {
  file("a.avi");
  file("sub/b.avi");
  EXPECT_EQ(value(find("\"*.avi\""), "count", "*.avi"), 1);
  EXPECT_EQ(value(find("\"*.avi\"", "recursive = true"), "count", "*.avi"), 2);
}

TEST_F(FilesIn, OnlyRegularFilesCountAndLinksAreNotFollowed) {
  const TemporaryDirectory elsewhere;
  elsewhere.write("b.avi", "x");
  std::filesystem::create_directory(path("directory.avi"));
  std::filesystem::create_symlink(elsewhere.path() + "/b.avi", path("link.avi"));
  std::filesystem::create_directory_symlink(elsewhere.path(), path("link"));
  std::filesystem::create_directory_symlink(place_.path(), path("directory.avi/circle"));
  ASSERT_EQ(::mkfifo(path("pipe.avi").c_str(), 0600), 0);
  const Findings found = find("\"*.avi\"", kNone);
  EXPECT_EQ(value(found, "count", "*.avi"), 0);
  EXPECT_EQ(found.state(object("*.avi")), State::proven);
}

TEST_F(FilesIn, WhatCannotBeReadIsUnprovenAndNeverNone) {
  file("secret/a.avi");
  ::chmod(path("secret").c_str(), 0700);
  {
    const Unprivileged nobody;
    const Findings found = find("\"*.avi\"", kNone);
    EXPECT_EQ(found.reason(object("*.avi")), Reason::permission);
    EXPECT_FALSE(value(found, "count", "*.avi"));
    EXPECT_FALSE(value(found, "bytes", "*.avi"));
    EXPECT_EQ(value(find("\"*.avi\"", "max_files = 0"), "count", "*.avi"), 0)
        << "what is below was not asked for";
  }
  ::chmod(place_.path().c_str(), 0700);
  const Unprivileged nobody;
  const Findings found = find("\"*.avi\"", "max_files = 0");
  EXPECT_EQ(found.reason(object("*.avi")), Reason::permission);
  EXPECT_FALSE(value(found, "count", "*.avi"));
}

TEST_F(FilesIn, ADirectoryWhoseEntriesCannotBeLookedAtIsUnproven) {
  file("listed/a.avi");
  ::chmod(path("listed").c_str(), 0744);
  const Unprivileged nobody;
  const Findings found = find("\"*.avi\"", kNone);
  EXPECT_EQ(found.reason(object("*.avi")), Reason::permission);
  EXPECT_FALSE(value(found, "count", "*.avi"));
}

TEST_F(FilesIn, WhatWasFoundCountsAlthoughNotAllCouldBeRead) {
  file("open/a.avi");
  file("secret/b.avi");
  ::chmod(path("secret").c_str(), 0700);
  const Unprivileged nobody;
  const Findings found = find("\"*.avi\", \"*.mp4\"", kNone);
  EXPECT_EQ(found.violated(), object("*.avi"));
  EXPECT_EQ(value(found, "count", "*.avi"), 1);
  EXPECT_FALSE(value(found, "bytes", "*.avi")) << "a size of some of them is no size of them";
  EXPECT_NE(found.object(object("*.avi")).findings.back().find("open/a.avi"), std::string::npos);
  EXPECT_EQ(found.reason(object("*.mp4")), Reason::permission);
  EXPECT_FALSE(value(found, "count", "*.mp4"));
}

TEST_F(FilesIn, ADirectoryThatIsNotThereIsUnproven) {
  file("a.avi");
  const std::string configured = configuration("\"*.avi\"", "max_files = 5");
  std::filesystem::remove_all(place_.path());
  const Findings found = look(configured);
  EXPECT_EQ(found.reason(object("*.avi")), Reason::missing);
  EXPECT_FALSE(value(found, "count", "*.avi"));
  EXPECT_EQ(value(found, "count_max", "*.avi"), 5) << "limits are always there";
  std::ofstream(place_.path()) << "a file in its place";
  EXPECT_EQ(look(configured).reason(object("*.avi")), Reason::io);
}

TEST_F(FilesIn, ATreeBeyondItsBoundsIsUnproven) {
  file("1/2/3/a.avi");
  const std::string judged = "recursive = true\nmax_files = 5\n";
  EXPECT_EQ(find("\"*.avi\"", judged + "max_depth = 3").reason(object("*.avi")), Reason::too_large);
  EXPECT_EQ(value(find("\"*.avi\"", judged + "max_depth = 4"), "count", "*.avi"), 1);
  EXPECT_EQ(find("\"*.avi\"", judged + "max_entries = 3").reason(object("*.avi")),
            Reason::too_large);
  EXPECT_EQ(value(find("\"*.avi\"", judged + "max_entries = 4"), "count", "*.avi"), 1);
  for (int i = 0; i < 7; ++i) file("b" + std::to_string(i) + ".avi");
  const Findings found = find("\"*.avi\"", "max_files = 5\nmax_entries = 7");
  EXPECT_EQ(found.violated(), object("*.avi")) << "six are too many, however many there are";
}

TEST_F(FilesIn, OneDirectoryThatCannotBeReadDoesNotHideAnother) {
  file("a.avi");
  const Findings found = look(
      configuration("\"*.avi\"",
                    "max_files = 0\n[[server.collectors.files.directories]]\npath = \"/nowhere\"\n"
                    "patterns = [\"*\"]\nmax_files = 0"));
  EXPECT_EQ(found.violated(), object("*.avi"));
  EXPECT_EQ(found.reason("files//nowhere.*"), Reason::missing);
}

TEST_F(FilesIn, AViolationStandsUntilTheFileIsGone) {
  file("a.avi");
  RunningScheduler scheduler(configuration("\"*.avi\"", "max_files = 0"));
  const auto state = [&] { return scheduler.findings().state(object("*.avi")); };
  ASSERT_TRUE(eventually([&] { return state() == State::violated; }));
  std::filesystem::remove(path("a.avi"));
  scheduler.clock.advance(Seconds(61));
  EXPECT_TRUE(eventually([&] { return state() == State::proven; })) << "looked at again soon";
}

}  // namespace
}  // namespace pg_integrity::test::files_test
