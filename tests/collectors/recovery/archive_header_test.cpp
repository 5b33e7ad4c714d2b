#include "collectors/recovery/archive_header.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>

#include "collectors/base/instant.h"
#include "tests/support/clock.h"
#include "tests/support/cluster.h"

namespace pg_integrity::test::archive_header_test {
namespace {

const SteppedClock kClock;
constexpr UnixTime kNewYear2026 = 1767225600;
constexpr UnixTime kDay = 86400;

/// The moment of a reading. The test fails if the reading covers more than one moment.
std::optional<UnixTime> exact(const std::optional<ArchiveTime>& time) {
  if (!time) return std::nullopt;
  EXPECT_EQ(time->earliest, time->latest);
  return time->latest;
}

std::optional<UnixTime> header(std::string_view head, const std::string& zone = "UTC") {
  return exact(header_time(head, kClock, zone));
}

std::string head_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(kArchiveHeadBytes, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return head;
}

/// A real dump of an empty database. The local time of its pg_dump is India's, +05:30 all year.
class RealDump : public ::testing::Test {
 protected:
  static constexpr const char* kZone = "Asia/Kolkata";
  static constexpr double kOffset = 5.5 * 3600;

  std::string dump(std::vector<std::string> options, const std::string& zone = kZone) {
    std::vector<std::string> command{Cluster::programs() + "/pg_dump", "-d", db_.dsn(), "-f",
                                     path_};
    command.insert(command.end(), options.begin(), options.end());
    began_ = std::floor(kClock.unix_now());
    const Finished finished = run(command, {{{"TZ", zone}}, {}, false});
    ended_ = kClock.unix_now();
    if (finished.status != 0) throw std::runtime_error(finished.err);
    return path_;
  }

  void expect_now(std::optional<UnixTime> time) const {
    ASSERT_TRUE(time);
    EXPECT_GE(*time, began_);
    EXPECT_LE(*time, ended_);
  }

  Database db_;
  TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/dump";
  UnixTime began_ = 0;
  UnixTime ended_ = 0;
};

TEST_F(RealDump, CustomFormatSaysWhenItWasMade) {
  const std::string head = head_of(dump({"-Fc"}));
  expect_now(header(head, kZone));
  EXPECT_EQ(header(head, "UTC").value() - header(head, kZone).value(), kOffset)
      << "its header is wall-clock time and names no zone";
}

TEST_F(RealDump, TarFormatSaysWhenItWasMade) {
  expect_now(header(head_of(dump({"-Ft"})), kZone));
}

TEST_F(RealDump, DirectoryFormatSaysWhenItWasMade) {
  expect_now(header(head_of(dump({"-Fd"}) + "/toc.dat"), kZone));
}

TEST_F(RealDump, CompressionChangesNothing) {
  expect_now(header(head_of(dump({"-Fc", "-Z0"})), kZone));
  expect_now(header(head_of(dump({"-Fc", "-Z9"})), kZone));
}

TEST_F(RealDump, VerbosePlainFormatSaysWhenItWasMade) {
  const std::string head = head_of(dump({"-Fp", "--verbose"}));
  expect_now(header(head, kZone));
  EXPECT_EQ(header(head, "UTC").value() - header(head, kZone).value(), kOffset);
}

TEST_F(RealDump, PlainFormatThatNamesUtcIsBelievedWhateverTheZone) {
  expect_now(header(head_of(dump({"-Fp", "--verbose"}, "UTC")), kZone));
}

TEST_F(RealDump, PlainFormatAloneSaysNothing) {
  EXPECT_FALSE(header(head_of(dump({"-Fp"}))));
}

TEST_F(RealDump, HalfAHeaderSaysNothing) {
  for (const char* format : {"-Fc", "-Ft"}) {
    const std::string head = head_of(dump({format}));
    const std::size_t start = format[2] == 't' ? 512 : 0;
    std::size_t shortest = start;
    while (shortest < head.size() && !header(std::string_view(head).substr(0, shortest), kZone))
      ++shortest;
    EXPECT_GT(shortest, start + 40) << format << ": the time stands at the header's end";
    EXPECT_LT(shortest, start + 80) << format;
    for (std::size_t size = shortest; size <= std::min(head.size(), shortest + 64); ++size)
      expect_now(header(std::string_view(head).substr(0, size), kZone));
  }
}

struct Fields {
  std::int64_t second = 7, minute = 30, hour = 12, day = 1, month = 0, year = 126;
};

/// A header as pg_dump's WriteHead() lays it out.
std::string archive(const Fields& fields, int minor = 14, int int_size = 4, int major = 1) {
  std::string head = "PGDMP";
  for (const int byte : {major, minor, 0, int_size, 8, 1}) head += static_cast<char>(byte);
  const auto integer = [&](std::int64_t value) {
    head += static_cast<char>(value < 0);
    for (int i = 0; i < int_size; ++i)
      head +=
          i < 8 ? static_cast<char>(static_cast<std::uint64_t>(std::abs(value)) >> (8 * i)) : '\0';
  };
  if (minor >= 15)
    head += '\1';  // the algorithm alone
  else
    integer(-1);  // the level
  for (const auto value :
       {fields.second, fields.minute, fields.hour, fields.day, fields.month, fields.year})
    integer(value);
  return head;
}

constexpr UnixTime kWritten = kNewYear2026 + 12 * 3600 + 30 * 60 + 7;

TEST(HeaderTime, ReadsEveryVersionOfTheArchiveFormat) {
  for (const int minor : {10, 12, 13, 14, 15, 16})
    EXPECT_EQ(header(archive({}, minor)), kWritten) << "1." << minor;
  for (const int int_size : {1, 2, 4, 8}) EXPECT_EQ(header(archive({}, 14, int_size)), kWritten);
}

TEST(HeaderTime, RefusesTimesThatAreNone) {
  const Fields bad[] = {{.second = 75},
                        {.minute = 60},
                        {.hour = 24},
                        {.day = 0},
                        {.day = 32},
                        {.day = 30, .month = 1},
                        {.month = 12},
                        {.month = -1},
                        {.second = -1},
                        {.year = 5000},
                        {.year = 0},
                        {.year = -1901},
                        {.year = -5000},
                        {.year = INT32_MAX},
                        {.month = INT32_MAX},
                        {.year = INT64_MAX},
                        {.second = INT64_MIN + 1}};
  for (const Fields& fields : bad)
    EXPECT_FALSE(header(archive(fields, 14, 8)))
        << fields.year << "-" << fields.month << "-" << fields.day << " " << fields.hour << ":"
        << fields.minute << ":" << fields.second;
}

TEST(HeaderTime, RefusesIntegersOfImpossibleSize) {
  for (const int int_size : {0, 9, 64, 255})
    EXPECT_FALSE(header(archive({}, 14, int_size))) << int_size;
}

TEST(HeaderTime, RefusesArchivesOlderThanTheFormat) {
  EXPECT_FALSE(header(archive({}, 14, 4, 0)));
}

TEST(HeaderTime, SurvivesGarbageAndBelievesNoAbsurdDate) {
  std::mt19937 random(20260101);
  std::uniform_int_distribution<int> byte(0, 255);
  for (int i = 0; i < 20000; ++i) {
    std::string head = i % 2 == 0 ? "PGDMP\1\16" : "PGDMP";
    while (head.size() < 120) head += static_cast<char>(byte(random) & (i % 3 == 0 ? 0x0f : 0xff));
    if (const auto time = header(head)) {
      EXPECT_GE(*time, 631152000) << "1990";
      EXPECT_LT(*time, 7289654400) << "2201";
    }
  }
}

TEST(HeaderTime, NothingIsSaidByWhatIsNoDump) {
  EXPECT_FALSE(header(""));
  EXPECT_FALSE(header("PGDM"));
  EXPECT_FALSE(header("PGDMP"));
  EXPECT_FALSE(header("<html><body>404 Not Found</body></html>"));
  EXPECT_FALSE(header(std::string(kArchiveHeadBytes, '\0')));
  EXPECT_FALSE(header(std::string("toc.dat\0", 8) + std::string(600, 'x')));
  EXPECT_FALSE(header(std::string("toc.dat\0", 8)));
  EXPECT_FALSE(header("other.dat" + std::string(503, '\0') + archive({})));
}

TEST(HeaderTime, ATarWithOtherContentIsNotReadAsAnArchive) {
  const std::string toc = std::string("toc.dat\0", 8) + std::string(504, '\0');
  EXPECT_EQ(header(toc + archive({})), kWritten);
  EXPECT_FALSE(header(toc));
}

TEST(HeaderTime, PlainHeadersMustBeWholeAndPossible) {
  const auto plain = [](const std::string& started) {
    return header("--\n-- PostgreSQL database dump\n--\n\n-- Started on " + started);
  };
  EXPECT_EQ(plain("2026-01-01 12:30:07 UTC\n\nSET x;"), kWritten);
  EXPECT_EQ(plain("2026-01-01 12:30:07 GMT\n"), kWritten);
  EXPECT_EQ(plain("2026-01-01 12:30:07"), kWritten);
  for (const char* text :
       {"", "2026-01-01", "2026-01-01 12:30:0", "2026-02-30 12:30:07 UTC",
        "2026-01-01 25:00:00 UTC", "yesterday, at around noon", "0001-01-01 00:00:00 UTC",
        "9999-01-01 00:00:00 UTC", "2026-01-\n1 12:30:07 UTC"})
    EXPECT_FALSE(plain(text)) << text;
}

TEST(HeaderTime, AZoneThatNobodyKnowsGivesNoTime) {
  EXPECT_FALSE(header(archive({}), "Atlantis/Capital"));
}

TEST(HeaderTime, TheEarlierOfTwoReadingsIsTaken) {
  // 2025-10-26 02:30 came twice in Berlin: at 00:30 and at 01:30 UTC.
  const Fields twice{.second = 0, .minute = 30, .hour = 2, .day = 26, .month = 9, .year = 125};
  EXPECT_EQ(header(archive(twice), "Europe/Berlin"), 1761438600);
}

std::optional<ArchiveTime> name(const std::string& text, const std::string& zone = "UTC") {
  return name_time(text, kClock, zone);
}

TEST(NameTime, ReadsTheUsualForms) {
  for (const char* text : {"db-2026-01-01_12-30-07.dump", "db_20260101_123007.sql.gz",
                           "20260101T123007", "2026-01-01T12:30:07Z.tar", "x.2026.01.01.12.30.07",
                           "backup 2026-01-01 12h30m07.dump", "20260101123007.dump"})
    EXPECT_EQ(exact(name(text)), kWritten) << text;
}

TEST(NameTime, ATimeWithoutSecondsIsAnyMomentOfItsMinute) {
  for (const char* text : {"20260101T1230", "db_2026-01-01_12-30.dump", "2026-01-01_12:30-full",
                           "db_2026-01-01_12-30_99.dump"}) {
    const auto time = name(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(time->earliest, kWritten - 7) << text;
    EXPECT_EQ(time->latest, kWritten - 7 + 59) << text;
  }
}

TEST(NameTime, ADateAloneIsAnyMomentOfItsDay) {
  for (const char* text :
       {"2026-01-01", "db-20260101.dump", "2026_01_01.tar.gz", "2026-01-01_1.dump",
        "2026-01-01-24.dump", "2026-01-01_12.dump", "20260101-9999"}) {
    const auto time = name(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(time->earliest, kNewYear2026) << text;
    EXPECT_EQ(time->latest, kNewYear2026 + kDay - 1) << text;
  }
}

TEST(NameTime, ADayHasAsManyHoursAsItsZoneGivesIt) {
  const auto autumn = name("2025-10-26.dump", "Europe/Berlin");
  ASSERT_TRUE(autumn);
  EXPECT_EQ(autumn->latest - autumn->earliest, 25 * 3600 - 1);
  const auto spring = name("2025-03-30.dump", "Europe/Berlin");
  ASSERT_TRUE(spring);
  EXPECT_EQ(spring->latest - spring->earliest, 23 * 3600 - 1);
}

TEST(NameTime, IsReadInItsZone) {
  EXPECT_EQ(exact(name("2026-01-01_18-00-07", "Asia/Kolkata")), kWritten);
  EXPECT_FALSE(name("2026-01-01_18-00-07", "Atlantis/Capital"));
}

TEST(NameTime, AZAfterTheTimeIsUtcWhateverTheZone) {
  EXPECT_EQ(exact(name("db-20260101T123007Z.dump", "Asia/Kolkata")), kWritten);
  EXPECT_EQ(name("db-20260101T1230Z.dump", "Asia/Kolkata")->earliest, kWritten - 7);
}

TEST(NameTime, TakesTheFirstDateThatIsOne) {
  EXPECT_EQ(exact(name("pg15-2026-01-01_12-30-07-of-2020-01-01")), kWritten);
  EXPECT_EQ(exact(name("2026-13-45-2026-01-01_12-30-07")), kWritten);
  EXPECT_EQ(exact(name("host4711_2026-01-01_12-30-07")), kWritten);
}

TEST(NameTime, WhatIsNoDateIsNothing) {
  for (const char* text : {"", "db.dump", "15", "1764720000.dump", "2026", "2026-01", "2026-00-10",
                           "2026-02-30", "2026-13-01", "1989-12-31", "2201-01-01", "0000-00-00",
                           "12026-01-01", "2026--01-01", "99999999999999999999", "01.01.2026"})
    EXPECT_FALSE(name(text)) << text;
  EXPECT_FALSE(name(std::string(255, '9')));
  EXPECT_FALSE(name("\xff\xfe\xfd"));
}

TEST_F(RealDump, IsRecognisedInEveryFormat) {
  for (const char* format : {"-Fc", "-Ft"})
    EXPECT_TRUE(is_archive(head_of(dump({format})))) << format;
  std::filesystem::remove(path_);
  EXPECT_TRUE(is_archive(head_of(dump({"-Fd"}) + "/toc.dat")));
  std::filesystem::remove_all(path_);
  const std::string plain = head_of(dump({"-Fp"}));
  EXPECT_TRUE(is_backup(plain));
  EXPECT_FALSE(is_archive(plain));
}

TEST_F(RealDump, OfAllDatabasesIsRecognised) {
  const Finished finished =
      run({Cluster::programs() + "/pg_dumpall", "-d", db_.dsn(), "-f", path_, "--globals-only"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_TRUE(is_backup(head_of(path_)));
}

TEST_F(RealDump, SoIsABaseBackup) {
  const std::string place = directory_.path() + "/base";
  const Finished finished = run({Cluster::programs() + "/pg_basebackup", "-d", db_.dsn(), "-Ft",
                                 "-X", "none", "-c", "fast", "-D", place});
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_TRUE(is_backup(head_of(place + "/base.tar")));
}

TEST(IsBackup, TakesWhatOthersCompressedByItsMagic) {
  for (const std::string& magic : {std::string("\x28\xb5\x2f\xfd"), std::string("\x04\x22\x4d\x18"),
                                   std::string("\xfd\x37zXZ\0", 6), std::string("BZh91AY&SY")}) {
    EXPECT_TRUE(is_backup(magic + "xyz"));
    EXPECT_FALSE(is_archive(magic + "xyz")) << "of a folder's table of contents that is not enough";
    EXPECT_FALSE(is_backup("x" + magic));
    EXPECT_FALSE(is_backup(magic.substr(0, magic.size() - 1)));
  }
}

TEST(IsBackup, KnowsATarByItsFirstMember) {
  const std::string rest(600, '\0');
  EXPECT_TRUE(is_backup("backup_label" + rest));
  EXPECT_FALSE(is_backup("backup_label.old" + rest));
  EXPECT_FALSE(is_backup("backup_label")) << "the name alone";
  EXPECT_FALSE(is_backup("toc.dat" + rest)) << "without an archive in it";
  EXPECT_FALSE(is_backup("photos.jpg" + rest));
}

TEST(IsBackup, KnowsAPlainDumpByALineOfItsOwn) {
  EXPECT_TRUE(is_backup("-- PostgreSQL database dump\n"));
  EXPECT_TRUE(is_backup("--\r\n-- PostgreSQL database dump\r\n"));
  EXPECT_TRUE(is_backup("--\n-- PostgreSQL database cluster dump\n--\n"));
  EXPECT_FALSE(is_backup("see: -- PostgreSQL database dump\n"));
  EXPECT_FALSE(is_backup("-- MySQL dump 10.13\n"));
}

TEST(IsBackup, NothingElseIs) {
  for (const std::string& head :
       {std::string(), std::string("PGDMP"), "PGDMP" + std::string(2000, 'x'),
        std::string(kArchiveHeadBytes, '\0'), std::string(kArchiveHeadBytes, 'x'),
        std::string("<html><body>404 Not Found</body></html>")})
    EXPECT_FALSE(is_backup(head)) << head.substr(0, 20);
  EXPECT_TRUE(is_backup(archive({})));
  EXPECT_FALSE(is_backup(archive({}, 14, 4, 0)));
}

TEST(EncryptedBy, KnowsWhatEachProgramWritesFirst) {
  using namespace std::string_literals;
  EXPECT_EQ(encrypted_by("age-encryption.org/v1\n-> X25519 abc"), "age");
  EXPECT_EQ(encrypted_by("-----BEGIN AGE ENCRYPTED FILE-----\n"), "age");
  EXPECT_EQ(encrypted_by("Salted__\x01\x02"), "openssl");
  EXPECT_EQ(encrypted_by("-----BEGIN PGP MESSAGE-----\n"), "gpg");
  EXPECT_EQ(encrypted_by("\x8c\x0d\x04\x09\x03\x02"s), "gpg") << "gpg --symmetric";
  EXPECT_EQ(encrypted_by("\x85\x01\x8c\x03\x11\x22"s), "gpg") << "gpg --encrypt with RSA";
  EXPECT_EQ(encrypted_by("\x84\x5e\x03\x11\x22"s), "gpg") << "gpg --encrypt with Curve25519";
  EXPECT_EQ(encrypted_by("\xc3\x2e\x05\x09"s), "gpg") << "RFC 9580";
}

TEST(EncryptedBy, NothingElseIs) {
  using namespace std::string_literals;
  for (const std::string& head : {""s, "\x85"s, "\x1f\x8b\x08"s, "\x28\xb5\x2f\xfd"s, "Salted"s,
                                  "\x8c\x00\x00"s, std::string(64, '\0'), archive({})})
    EXPECT_EQ(encrypted_by(head), "");
}

TEST(ShowsData, RowsAndLargeObjectsAreData) {
  EXPECT_TRUE(shows_data("-- x\nCOPY public.t (id) FROM stdin;\n"));
  EXPECT_TRUE(shows_data("INSERT INTO public.t VALUES (1);\n"));
  EXPECT_TRUE(shows_data("\nSELECT pg_catalog.lo_open('16', 131072);\n"));
  EXPECT_FALSE(shows_data("CREATE TABLE t (id int);\n-- a comment about COPY t FROM stdin\n"));
}

}  // namespace
}  // namespace pg_integrity::test::archive_header_test
