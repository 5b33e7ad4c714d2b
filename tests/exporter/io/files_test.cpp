#include "exporter/io/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <map>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/ports/files.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/metrics/page.h"
#include "tests/support/clock.h"
#include "tests/support/failure.h"
#include "tests/support/gzip.h"
#include "tests/support/temporary.h"
#include "tests/support/unprivileged.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::files_test {
namespace {

class FilesOf : public ::testing::Test {
 protected:
  std::vector<FileEntry> list(const std::string& pattern = "*", std::size_t limit = 1000) {
    auto entries = files().list(directory_.path(), pattern, limit);
    std::sort(entries.begin(), entries.end(),
              [](const FileEntry& a, const FileEntry& b) { return a.name < b.name; });
    return entries;
  }
  std::string names(const std::string& pattern) {
    std::string all;
    for (const FileEntry& entry : list(pattern)) all += (all.empty() ? "" : " ") + entry.name;
    return all;
  }
  std::string head(const std::string& path, std::size_t bytes = 100) {
    return files().head(path, bytes);
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return directory_.path() + "/" + name;
  }
  WorkerFiles files() { return {workers_, clock_.now() + Seconds(30)}; }

  SteppedClock clock_;
  DisposableWorkers workers_{clock_};
  TemporaryDirectory directory_;
};

TEST_F(FilesOf, ListsWhatThePatternMeans) {
  for (const char* name : {"a.dump", "b.dump", "c.dump.tmp", ".hidden.dump", "with space.dump"})
    directory_.write(name, "x");
  EXPECT_EQ(names("?.dump"), "a.dump b.dump");
  EXPECT_EQ(names("with*"), "with space.dump");
  EXPECT_EQ(names("*.nothing"), "");
}

TEST_F(FilesOf, SaysWhatAnEntryIs) {
  directory_.write("file", "12345");
  std::filesystem::create_directory(path("directory"));
  directory_.write("directory/a", "123");
  directory_.write("directory/b", "4567");
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const auto entries = list();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].kind, FileKind::directory);
  EXPECT_EQ(entries[0].size, 7) << "that of the files in it";
  EXPECT_EQ(entries[1].kind, FileKind::file);
  EXPECT_EQ(entries[1].size, 5);
  EXPECT_EQ(entries[2].kind, FileKind::other);
}

TEST_F(FilesOf, TimesAreThoseOfTheKernel) {
  const timespec times[2] = {{1764720000, 0}, {1764720000, 250'000'000}};
  ASSERT_EQ(::utimensat(AT_FDCWD, directory_.write("file", "x").c_str(), times, 0), 0);
  const auto entries = list();
  EXPECT_EQ(entries.at(0).modified, 1764720000.25);
  EXPECT_NEAR(entries.at(0).read_at, clock_.unix_now(), 5);
}

TEST_F(FilesOf, FollowsLinksAndToleratesBrokenOnes) {
  std::filesystem::create_symlink(directory_.write("file", "12345"), path("link"));
  std::filesystem::create_symlink(path("nowhere"), path("link to nowhere"));
  const auto entries = list("link*");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].kind, FileKind::file);
  EXPECT_EQ(entries[0].size, 5);
  EXPECT_EQ(entries[1].kind, FileKind::other);
  EXPECT_FALSE(entries[1].trouble) << "there is nothing that could be read";
}

TEST_F(FilesOf, TooManyEntriesAreAnErrorAndNotAPartOfThem) {
  for (int i = 0; i < 5; ++i) directory_.write(std::to_string(i), "x");
  EXPECT_EQ(list("*", 5).size(), 5U);
  EXPECT_EQ(failure([&] { list("0", 4); }).reason(), Reason::limit);
}

TEST_F(FilesOf, ADirectoryThatCannotBeReadIsAnError) {
  EXPECT_EQ(failure([&] { files().list(path("nowhere"), "*", 10); }).reason(), Reason::io);
  EXPECT_EQ(failure([&] { files().list(directory_.write("file", ""), "*", 10); }).reason(),
            Reason::io);
  ::chmod(directory_.path().c_str(), 0700);
  const Unprivileged nobody;
  EXPECT_EQ(failure([&] { list(); }).reason(), Reason::permission);
}

TEST_F(FilesOf, AnEntryThatCannotBeReadDoesNotHideTheOthers) {
  directory_.write("readable", "x");
  std::filesystem::create_directory(path("sealed"));
  ::chmod(path("sealed").c_str(), 0000);
  const Unprivileged nobody;
  const auto entries = list();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].kind, FileKind::file);
  EXPECT_EQ(entries[1].kind, FileKind::other);
  EXPECT_EQ(entries[1].trouble, Reason::permission);
  EXPECT_GT(entries[1].modified, 0);
}

TEST_F(FilesOf, AnEntryOfWhichNothingCanBeKnownSaysWhy) {
  std::filesystem::create_directory(path("sealed"));
  directory_.write("sealed/file", "x");
  std::filesystem::create_symlink(path("sealed/file"), path("link"));
  ::chmod(path("sealed").c_str(), 0000);
  const Unprivileged nobody;
  const auto entries = list("link");
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].kind, FileKind::other);
  EXPECT_EQ(entries[0].trouble, Reason::permission);
  EXPECT_EQ(entries[0].modified, 0);
}

TEST_F(FilesOf, ATreeIsItsRegularFilesWithTheirWay) {
  std::filesystem::create_directories(path("a/b"));
  directory_.write("top", "1");
  directory_.write("a/file", "12");
  directory_.write("a/b/file", "123");
  directory_.write("a/b/other", "1234");
  std::filesystem::create_symlink(path("top"), path("a/link"));
  std::filesystem::create_directory_symlink(path("a"), path("a/b/circle"));
  const auto seen = [&](const TreeBounds& bounds) {
    const FileTree tree = files().tree(directory_.path(), bounds,
                                       [](const std::string& name) { return name != "other"; });
    std::map<std::string, double> sizes;
    for (const FileEntry& entry : tree.files) sizes[entry.name] = entry.size;
    return std::pair(sizes, tree.gap.has_value());
  };
  using Sizes = std::map<std::string, double>;
  EXPECT_EQ(seen({3, true, 100}),
            std::pair(Sizes({{"top", 1}, {"a/file", 2}, {"a/b/file", 3}}), false));
  EXPECT_EQ(seen({2, true, 100}), std::pair(Sizes({{"top", 1}, {"a/file", 2}}), true));
  EXPECT_EQ(seen({1, false, 100}), std::pair(Sizes({{"top", 1}}), false));
  EXPECT_TRUE(seen({3, true, 7}).second);
  EXPECT_FALSE(seen({3, true, 8}).second);
}

TEST_F(FilesOf, ATreeWithoutATopIsAnErrorAndAGapWithinIsNone) {
  const auto everything = [](const std::string&) { return true; };
  const TreeBounds bounds{9, true, 100};
  EXPECT_EQ(failure([&] { files().tree(path("nowhere"), bounds, everything); }).reason(),
            Reason::missing);
  std::filesystem::create_directory(path("sealed"));
  ::chmod(path("sealed").c_str(), 0000);
  directory_.write("file", "x");
  const Unprivileged nobody;
  const FileTree tree = files().tree(directory_.path(), bounds, everything);
  EXPECT_EQ(tree.files.size(), 1U);
  EXPECT_EQ(tree.gap.value().reason(), Reason::permission);
}

TEST_F(FilesOf, HeadIsTheBeginningOfAFile) {
  const std::string file = directory_.write("file", "0123456789");
  EXPECT_EQ(head(file, 4), "0123");
  EXPECT_EQ(head(file, 100), "0123456789");
  EXPECT_EQ(head(directory_.write("empty", "")), "");
}

TEST_F(FilesOf, TheTailIsTheEndOfTheFileAsItIs) {
  const std::string plain = directory_.write("plain", "0123456789");
  FileEnds ends = files().ends(plain, 3, 4);
  EXPECT_EQ(ends.head, "012");
  EXPECT_EQ(ends.tail, "6789");
  EXPECT_FALSE(ends.packed);
  EXPECT_EQ(ends.file.size, 10);
  EXPECT_EQ(files().ends(plain, 3, 100).tail, "0123456789");
  EXPECT_EQ(files().ends(directory_.write("empty", ""), 3, 4).tail, "");
  const std::string packed = gzipped("0123456789");
  ends = files().ends(directory_.write("packed.gz", packed), 3, 4);
  EXPECT_EQ(ends.head, "012");
  EXPECT_EQ(ends.tail, packed.substr(packed.size() - 4));
  EXPECT_TRUE(ends.packed);
}

TEST_F(FilesOf, HeadOfAGzipFileIsThatOfItsContent) {
  const std::string content = "-- PostgreSQL database dump\n" + std::string(100000, 'x');
  const std::string file = directory_.write("dump.gz", gzipped(content));
  EXPECT_EQ(head(file, 27), "-- PostgreSQL database dump");
  EXPECT_EQ(head(file, 200000), content);
}

/// A gzip file with two inverted bytes in its content.
std::string damaged_gzip() {
  std::string bytes = gzipped("-- PostgreSQL database dump\n");
  for (const std::size_t at : {12U, 13U}) bytes[at] = static_cast<char>(~bytes[at]);
  return bytes;
}

TEST_F(FilesOf, ADamagedGzipFileIsAnErrorWhereItIsRead) {
  const std::string file = directory_.write("damaged.gz", damaged_gzip());
  EXPECT_EQ(failure([&] { head(file); }).reason(), Reason::decode);
}

TEST_F(FilesOf, HeadOfWhatIsNoFileIsAnErrorAndDoesNotWait) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(failure([&] { head(path("pipe")); }).reason(), Reason::io);
  EXPECT_EQ(failure([&] { head(directory_.path()); }).reason(), Reason::io);
  EXPECT_EQ(failure([&] { head("/dev/zero"); }).reason(), Reason::io);
  EXPECT_EQ(failure([&] { head(path("nowhere")); }).reason(), Reason::io);
  const std::string file = directory_.write("secret", "x");
  ::chmod(file.c_str(), 0600);
  const Unprivileged nobody;
  EXPECT_EQ(failure([&] { head(file); }).reason(), Reason::permission);
}

TEST_F(FilesOf, ErrorsNameThePathAndTheTrouble) {
  EXPECT_EQ(std::string(failure([&] { head(path("nowhere")); }).what()),
            path("nowhere") + ": No such file or directory");
}

TEST_F(FilesOf, AFileSystemThatHangsIsNotAskedAgainMeanwhile) {
  const auto hanging = std::make_shared<std::promise<void>>();
  const std::function<int()> work = [waits = hanging->get_future().share()] {
    waits.wait();
    return 0;
  };
  EXPECT_THROW(
      workers_.run<int>("directory " + directory_.path(), clock_.now() + Seconds(0.1), work),
      SourceError);
  EXPECT_EQ(failure([&] { list(); }).reason(), Reason::timeout);
  EXPECT_EQ(head(directory_.write("file", "x")), "x") << "another path";
  hanging->set_value();
  EXPECT_TRUE(eventually([&] { return workers_.given_up() == 0; }));
  EXPECT_EQ(list().size(), 1U);
}

std::ptrdiff_t open_descriptors() {
  using Iterator = std::filesystem::directory_iterator;
  return std::distance(Iterator("/proc/self/fd"), Iterator());
}

TEST_F(FilesOf, NoDescriptorStaysOpen) {
  const std::string plain = directory_.write("plain", "x");
  const std::string damaged = directory_.write("damaged.gz", damaged_gzip());
  const auto before = open_descriptors();
  for (int i = 0; i < 50; ++i) {
    list();
    head(plain);
    failure([&] { head(directory_.path()); });
    failure([&] { list("*", 1); });
    files().tree(directory_.path(), {9, true, 100}, [](const std::string&) { return true; });
    EXPECT_THROW(head(damaged), SourceError);
  }
  EXPECT_TRUE(eventually([&] { return open_descriptors() == before; }));
}

TEST_F(FilesOf, AWholeFileIsReadOrNothing) {
  const std::string bytes("a\0\xff\n", 4);
  const std::string file = directory_.write("file", bytes);
  EXPECT_EQ(files().contents(file, 4), bytes);
  EXPECT_EQ(files().contents(directory_.write("empty", ""), 4), "");
  EXPECT_EQ(failure([&] { files().contents(file, 3); }).reason(), Reason::limit);
  EXPECT_EQ(failure([&] { files().contents(directory_.path(), 4); }).reason(), Reason::io);
}

TEST_F(FilesOf, ADirectoryIsAsNewAsTheNewestFileInIt) {
  std::filesystem::create_directory(path("directory"));
  const timespec times[2] = {{4000000000, 0}, {4000000000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, directory_.write("directory/a", "x").c_str(), times, 0), 0);
  EXPECT_EQ(list().at(0).modified, 4000000000);
}

TEST_F(FilesOf, ACopyIsAnotherFile) {
  directory_.write("a", "x");
  std::filesystem::copy(path("a"), path("b"));
  const auto entries = list();
  EXPECT_GT(entries.at(0).inode, 0);
  EXPECT_NE(entries.at(0).inode, entries.at(1).inode);
}

TEST_F(FilesOf, RoomIsThatOfWhoeverIsNotRoot) {
  struct statvfs facts {};
  ASSERT_EQ(::statvfs(directory_.path().c_str(), &facts), 0);
  const double free = static_cast<double>(facts.f_bavail) * static_cast<double>(facts.f_frsize);
  EXPECT_NEAR(files().room(directory_.path()) / free, 1, 0.1);
  EXPECT_EQ(failure([&] { static_cast<void>(files().room(directory_.path() + "/none")); }).reason(),
            Reason::io);
}

}  // namespace
}  // namespace pg_integrity::test::files_test
