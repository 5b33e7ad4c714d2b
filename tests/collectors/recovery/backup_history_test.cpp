#include "collectors/recovery/backup_history.h"
#include "collectors/postgres/schema_cache.h"
#include "collectors/recovery/archive_directory.h"

#include <gtest/gtest.h>
#include <utime.h>

#include <cmath>
#include <ctime>
#include <filesystem>
#include <set>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/ports/files.h"
#include "collectors/recovery/history_table.h"
#include "exporter/io/clock.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/files.h"
#include "tests/support/opened_session.h"
#include "tests/support/plain_dump.h"

namespace pg_integrity::test::backup_history_test {
namespace {

double runs(const KindHistory& kind, BackupStatus status) {
  return kind.runs[static_cast<std::size_t>(status)];
}

Reason reason(const std::function<void()>& ask) {
  try {
    ask();
  } catch (const SourceError& error) {
    return error.reason();
  }
  throw std::runtime_error("it did not fail");
}

class BackupHistoryIn : public ::testing::Test {
 protected:
  BackupHistory read(const std::vector<BackupKind>& kinds) {
    return read_history_table(*session_, *load_schema(*session_, {}, Instant{}), history_, kinds);
  }

  const Database db_;
  OpenedSession session_{db_};
  HistoryTable history_{
      {"public", "history"}, "at", "what", "status", {"ok", "done"}, {"bad"}, {"..."},
      {"restore"},           ""};
};

TEST_F(BackupHistoryIn, ATableAddsUpByKindAndStatus) {
  db_.run(R"(CREATE TABLE history (at timestamptz, what text, status text);
    INSERT INTO history VALUES (now() - interval '3 hours', 'auto', 'ok'),
      (now() - interval '1 hour', 'nightly', 'done'),
      (now() - interval '9 hours', 'auto', 'done'), (now(), 'auto', 'bad'), (now(), 'auto', '...'),
      (now(), 'auto', 'OK'),
      (now(), 'auto', NULL), (now(), 'restore', 'ok'), (now(), 'who knows', 'ok'), (now(), NULL,
      'ok'))");
  const BackupHistory found =
      read({{"regular", {"auto", "nightly"}, "", {}, {}}, {"manual", {"manual"}, "", {}, {}}});
  const KindHistory& regular = found.kinds.at("regular");
  EXPECT_EQ(runs(regular, BackupStatus::success), 3)
      << "several texts may mean one kind, and one status";
  EXPECT_EQ(runs(regular, BackupStatus::failed), 1);
  EXPECT_EQ(runs(regular, BackupStatus::running), 1);
  EXPECT_EQ(runs(regular, BackupStatus::other), 2) << "what nobody declared is no success";
  EXPECT_NEAR(regular.newest.value().age.count(), 3600, 60);
  EXPECT_EQ(regular.newest->time_source, "table");
  EXPECT_FALSE(regular.newest->size);
  EXPECT_NEAR(regular.oldest_age.value().count(), 9 * 3600, 60);
  EXPECT_EQ(found.unrecognised, 2) << "what is ignored is not among them";
  EXPECT_FALSE(found.kinds.at("manual").newest) << "a declared kind is there, with nothing in it";
  EXPECT_FALSE(found.kinds.at("manual").oldest_age);
  EXPECT_EQ(found.kinds.size(), 2U);
}

TEST_F(BackupHistoryIn, WhatRunsForTooLongIsStuck) {
  db_.run(R"(CREATE TABLE history (at timestamptz, what text, status text);
    INSERT INTO history VALUES (now() - interval '59 minutes', 'auto', '...'),
      (now() - interval '61 minutes', 'auto', '...'), (now() - interval '3 days', 'nightly', '...'),
      ('-infinity', 'auto', '...'), (NULL, 'auto', '...'), (now() + interval '1 day', 'auto', '...'),
      (now() - interval '5 days', 'auto', 'bad'), (now() - interval '5 days', 'auto', 'ok'),
      (now() - interval '61 minutes', 'manual', '...'), (now() - interval '2 days', 'manual', '...'))");
  BackupKind regular{"regular", {"auto", "nightly"}, ""};
  regular.stuck_after = Seconds(3600);
  const BackupHistory found = read({regular, {"manual", {"manual"}, ""}});
  EXPECT_EQ(runs(found.kinds.at("regular"), BackupStatus::stuck), 3);
  EXPECT_EQ(runs(found.kinds.at("regular"), BackupStatus::running), 3) << "of no known time, too";
  EXPECT_EQ(runs(found.kinds.at("regular"), BackupStatus::failed), 1);
  EXPECT_EQ(runs(found.kinds.at("regular"), BackupStatus::success), 1);
  EXPECT_EQ(runs(found.kinds.at("manual"), BackupStatus::stuck), 1) << "each kind has its limit";
  EXPECT_EQ(runs(found.kinds.at("manual"), BackupStatus::running), 1);
}

TEST_F(BackupHistoryIn, ATableWithoutStatusHoldsSuccessesOnly) {
  db_.run(
      "CREATE TABLE history (at timestamptz, what text); INSERT INTO history VALUES (now(), "
      "'auto')");
  history_.status_column.clear();
  EXPECT_EQ(runs(read({{"auto", {"auto"}, "", {}, {}}}).kinds.at("auto"), BackupStatus::success),
            1);
}

TEST_F(BackupHistoryIn, ASuccessOfTheFutureIsCountedAndNeverTheNewest) {
  db_.run(R"(CREATE TABLE history (at timestamptz, what text, status text);
    INSERT INTO history VALUES (now() + interval '1 day', 'auto', 'ok'), (now() + interval '1 day',
      'auto', 'bad'),
      (now() + interval '30 seconds', 'auto', 'ok'))");
  const KindHistory found = read({{"auto", {"auto"}, "", {}, {}}}).kinds.at("auto");
  EXPECT_EQ(found.from_the_future, 1) << "neither a failure nor a clock that is a minute ahead";
  EXPECT_LT(found.newest.value().age.count(), 60);
}

TEST_F(BackupHistoryIn, ATableThatIsNoHistoryIsRefused) {
  db_.run(R"(CREATE TABLE history (at timestamptz, what text, status text);
    INSERT INTO history SELECT now(), i::text, 'ok' FROM generate_series(1, 1001) i)");
  EXPECT_EQ(reason([&] { read({}); }), Reason::limit);
  db_.run("DELETE FROM history WHERE what = '1'");
  EXPECT_EQ(read({}).unrecognised, 1000);
}

TEST_F(BackupHistoryIn, WhatIsNotThereIsMissing) {
  EXPECT_EQ(reason([&] { read({}); }), Reason::missing);
  db_.run("CREATE TABLE history (at timestamptz, what text)");
  EXPECT_EQ(reason([&] { read({}); }), Reason::missing) << "the column of the status";
}

/// Real files. It counts how often one was opened, and a test can make it fail.
class WatchedFiles final : public Files {
 public:
  using Files::list;
  std::vector<FileEntry> list(const std::string& directory,
                              const std::vector<std::string>& patterns,
                              std::size_t limit) override {
    auto entries = files_.list(directory, patterns, limit);
    for (FileEntry& entry : entries)
      if (unknown.contains(entry.name)) {
        entry = {entry.name, FileKind::other, 0, 0, 0, Reason::permission};
      }
    return entries;
  }
  FileTree tree(const std::string& directory, const TreeBounds& bounds,
                const std::function<bool(const std::string& name)>& wanted) override {
    return files_.tree(directory, bounds, wanted);
  }
  FileEnds ends(const std::string& path, std::size_t head_bytes, std::size_t tail_bytes) override {
    ++opened;
    if (fault && opened > good) throw SourceError(*fault, "in the way");
    return files_.ends(path, head_bytes, tail_bytes);
  }
  double room(const std::string& directory) override { return files_.room(directory); }
  bool is_remote(const std::string& directory) override { return files_.is_remote(directory); }
  std::string contents(const std::string& path, std::size_t max_bytes) override {
    return files_.contents(path, max_bytes);
  }

  int opened = 0;
  int good = 0;  ///< number of opens before the fault
  std::optional<Reason> fault;
  std::set<std::string> unknown;  ///< entries that cannot be read at all

 private:
  SystemClock clock_;
  DisposableWorkers workers_{clock_};
  WorkerFiles files_{workers_, clock_.now() + Seconds(120)};
};

class ArchivesIn : public ::testing::Test {
 protected:
  void file(const std::string& name, double hours_old, std::size_t size = 2000) {
    const std::string path = place_.write(name, plain_dump(size));
    const time_t when = std::time(nullptr) - static_cast<time_t>(hours_old * 3600);
    const utimbuf times{when, when};
    ::utime(path.c_str(), &times);
  }

  BackupHistory read(const std::vector<BackupKind>& kinds) {
    return reader_.read(files_, clock_, directory_, kinds);
  }
  KindHistory read() { return read({{"all", {}, "*", {}, {}}}).kinds.at("all"); }

  TemporaryDirectory place_;
  ArchiveDirectory directory_{place_.path(), 1000, Seconds(60), "UTC"};
  SystemClock clock_;
  WatchedFiles files_;
  ArchiveReader reader_;
};

TEST_F(ArchivesIn, ADirectoryAddUpByKind) {
  file("a-1.dump", 30);
  file("a-2.dump", 3, 5000);
  file("b-1.dump", 7);
  file("unrelated.txt", 1);
  const BackupHistory found =
      read({{"a", {}, "a-*.dump", {}, {}}, {"b", {}, "b-*", {}, {}}, {"c", {}, "c-*", {}, {}}});
  EXPECT_EQ(runs(found.kinds.at("a"), BackupStatus::success), 2);
  EXPECT_NEAR(found.kinds.at("a").newest.value().age.count(), 3 * 3600, 60);
  EXPECT_EQ(found.kinds.at("a").newest->size, 5000);
  EXPECT_NEAR(found.kinds.at("a").oldest_age.value().count(), 30 * 3600, 60);
  EXPECT_EQ(runs(found.kinds.at("b"), BackupStatus::success), 1);
  EXPECT_FALSE(found.kinds.at("c").newest);
  EXPECT_EQ(found.unrecognised, 0);
}

TEST_F(ArchivesIn, AnEmptyDirectoryHoldsNoBackup) {
  const KindHistory found = read();
  EXPECT_FALSE(found.newest);
  EXPECT_EQ(runs(found, BackupStatus::success), 0);
}

TEST_F(ArchivesIn, WhatHasNotChangedIsNotOpenedAgain) {
  file("a.dump", 5);
  file("b.dump", 6);
  read();
  EXPECT_EQ(files_.opened, 2);
  EXPECT_NEAR(read().newest.value().age.count(), 5 * 3600, 60);
  EXPECT_EQ(files_.opened, 2);
  file("b.dump", 4);
  EXPECT_NEAR(read().newest.value().age.count(), 4 * 3600, 60) << "its time has changed";
  EXPECT_EQ(files_.opened, 3);
  file("b.dump", 3.5, 3000);
  EXPECT_EQ(read().newest.value().size, 3000);
  EXPECT_EQ(files_.opened, 4) << "its size has changed";
}

TEST_F(ArchivesIn, WhatGrowsThoughItsTimeStandsStillIsNoBackupYet) {
  file("a.dump", 5);
  EXPECT_EQ(runs(read(), BackupStatus::success), 1);
  const auto then = std::filesystem::last_write_time(place_.path() + "/a.dump");
  place_.write("a.dump", plain_dump(3000));
  std::filesystem::last_write_time(place_.path() + "/a.dump", then);
  EXPECT_EQ(runs(read(), BackupStatus::running), 1);
  EXPECT_EQ(runs(read(), BackupStatus::success), 1) << "it grows no more";
}

TEST_F(ArchivesIn, WhatHasGoneIsForgotten) {
  file("a.dump", 5);
  read();
  std::filesystem::remove(place_.path() + "/a.dump");
  EXPECT_FALSE(read().newest);
  file("a.dump", 5);
  read();
  EXPECT_EQ(files_.opened, 2);
}

TEST_F(ArchivesIn, AnArchiveThatCannotBeReadIsNoSuccessAndTriedAgain) {
  file("a.dump", 5);
  files_.fault = Reason::permission;
  KindHistory found = read();
  EXPECT_EQ(runs(found, BackupStatus::other), 1);
  EXPECT_EQ(runs(found, BackupStatus::success), 0);
  EXPECT_FALSE(found.newest);
  ASSERT_TRUE(found.newest_unreadable);
  EXPECT_EQ(found.newest_unreadable->reason, Reason::permission);
  EXPECT_NEAR(found.newest_unreadable->changed, clock_.unix_now() - 5 * 3600, 60);
  files_.fault.reset();
  found = read();
  EXPECT_EQ(runs(found, BackupStatus::success), 1);
  EXPECT_FALSE(found.newest_unreadable);
}

TEST_F(ArchivesIn, TheNewestOfThoseThatCannotBeReadIsTold) {
  file("a.dump", 5);
  file("b.dump", 3);
  file("c.dump", 4);
  files_.fault = Reason::io;
  KindHistory found = read();
  EXPECT_EQ(runs(found, BackupStatus::other), 3);
  EXPECT_NEAR(found.newest_unreadable.value().changed, clock_.unix_now() - 3 * 3600, 60);
  files_.unknown.insert("a.dump");
  found = read();
  EXPECT_EQ(runs(found, BackupStatus::other), 3);
  EXPECT_TRUE(std::isinf(found.newest_unreadable.value().changed)) << "its age is unknown";
  EXPECT_EQ(found.newest_unreadable->reason, Reason::permission);
}

TEST_F(ArchivesIn, ADeadlineLosesNothingThatWasRead) {
  for (const char* name : {"a.dump", "b.dump", "c.dump", "d.dump"}) file(name, 5);
  files_.fault = Reason::timeout;
  files_.good = 3;
  EXPECT_EQ(reason([&] { read(); }), Reason::timeout);
  EXPECT_EQ(files_.opened, 4);
  files_.fault.reset();
  EXPECT_EQ(runs(read(), BackupStatus::success), 4);
  EXPECT_EQ(files_.opened, 5) << "the one that hung alone";
}

TEST_F(ArchivesIn, WhatIsNoBackupIsNoSuccessAndNotOpenedAgain) {
  place_.write("a.dump", std::string(2000, 'x'));
  directory_.settle = Seconds(0);
  EXPECT_EQ(runs(read(), BackupStatus::other), 1);
  EXPECT_EQ(runs(read(), BackupStatus::other), 1);
  EXPECT_EQ(files_.opened, 1);
  EXPECT_FALSE(read().newest_unreadable) << "it was read";
}

TEST_F(ArchivesIn, AHungFileSystemEndsTheLook) {
  file("a.dump", 5);
  files_.fault = Reason::timeout;
  EXPECT_EQ(reason([&] { read(); }), Reason::timeout);
}

TEST_F(ArchivesIn, ADamagedGzipFileIsAFailedBackup) {
  place_.write("a.dump.gz", "\x1f\x8b\x08" + std::string(2000, '\xff'));
  directory_.settle = Seconds(0);
  EXPECT_EQ(runs(read(), BackupStatus::failed), 1);
}

TEST_F(ArchivesIn, ADirectoryWithoutATableOfContentsIsNoSuccess) {
  std::filesystem::create_directory(place_.path() + "/folder");
  place_.write("folder/1234.dat.gz", std::string(5000, 'x'));
  directory_.settle = Seconds(0);
  EXPECT_EQ(runs(read(), BackupStatus::other), 1);
  EXPECT_FALSE(read().newest_unreadable) << "it is no backup";
  place_.write("folder/toc.dat", plain_dump());
  EXPECT_EQ(runs(read(), BackupStatus::other), 1) << "that is no table of contents";
}

TEST_F(ArchivesIn, SizeAndTimeDecideWhatIsLookedAt) {
  file("small.dump", 5, 999);
  file("enough.dump", 5, 1000);
  file("growing.dump", 0, 5000);
  const KindHistory found = read();
  EXPECT_EQ(runs(found, BackupStatus::failed), 1);
  EXPECT_EQ(runs(found, BackupStatus::success), 1);
  EXPECT_EQ(runs(found, BackupStatus::running), 1);
  EXPECT_EQ(files_.opened, 1) << "the others are not opened";
}

TEST_F(ArchivesIn, AFileOfTheFutureIsStillBeingWritten) {
  file("a.dump", -24);
  const KindHistory found = read();
  EXPECT_EQ(runs(found, BackupStatus::running), 1);
  EXPECT_FALSE(found.newest);
}

TEST_F(ArchivesIn, ANameMayMakeABackupOlderAndNeverYounger) {
  file("2001-02-03_04-05-06.dump", 5);
  EXPECT_EQ(read().newest.value().time, 981173106);
  EXPECT_EQ(read().newest->time_source, "name");
  std::filesystem::remove(place_.path() + "/2001-02-03_04-05-06.dump");
  file("2190-01-01.dump", 5);
  EXPECT_EQ(read().newest.value().time_source, "mtime");
  EXPECT_NEAR(read().newest->age.count(), 5 * 3600, 60);
}

}  // namespace
}  // namespace pg_integrity::test::backup_history_test
