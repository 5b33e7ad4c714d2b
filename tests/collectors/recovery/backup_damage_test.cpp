// Real dumps in every format, whole and damaged. The exporter tells from the beginning and the end
// of a file whether it is a backup. Damage that only shows inside is left to higher proof levels.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include <ctime>
#include <filesystem>

#include "collectors/base/errors.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/content.h"
#include "tests/support/observer.h"
#include "tests/support/unprivileged.h"

namespace pg_integrity::test::backup_damage_test {
namespace {

namespace fs = std::filesystem;

void write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

void must_run(const std::vector<std::string>& command) {
  const Finished finished = run(command);
  if (finished.status != 0) throw std::runtime_error(command.front() + ": " + finished.err);
}

void cut(const std::string& path, std::uintmax_t bytes) {
  fs::resize_file(path, fs::file_size(path) - bytes);
}

void halve(const std::string& path) {
  cut(path, fs::file_size(path) / 2);
}

/// Flips one bit in the middle.
void flip(const std::string& path) {
  std::string content = content_of(path);
  content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 4);
  write(path, content);
}

/// The largest file of data in a dump of the directory format.
fs::path member_of(const std::string& folder) {
  fs::path largest;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename() != "toc.dat" &&
        (largest.empty() || entry.file_size() > fs::file_size(largest)))
      largest = entry.path();
  return largest;
}

/// Changes the year in the header of a custom archive, as if it had been made earlier.
void age_header(const std::string& path, int years) {
  std::string content = content_of(path);
  // The year follows the magic (5 bytes), versions, sizes and format (6), the compression and five
  // integers of 5 bytes. The compression is an integer, and a single byte from format 1.15 on.
  const std::size_t compression = content.at(6) < 15 ? 5 : 1;
  char& year = content.at(5 + 6 + compression + 5 * 5 + 1);
  year = static_cast<char>(year - years);
  write(path, content);
}

constexpr const char* kHtml = "<html><head><title>502 Bad Gateway</title></head></html>\n";

struct Case {
  const char* name;    ///< also the pattern of its kind
  const char* format;  ///< of the dump; empty if there is none
  void (*damage)(const std::string& path);
  const char* status;  ///< that the exporter gives it
  int level;           ///< proof level that it reaches; below 1 it never counts
};

void nothing(const std::string& /*path*/) {}

// Damage that neither end shows leaves the backup at level 1. Only reading it all tells.
const Case kCases[] = {
    {"whole_plain", "p", nothing, "success", 1},
    {"whole_plain_gz", "p",
     [](const std::string& path) {
       must_run({"gzip", path});
     },
     "success", 1},
    {"whole_plain_zst", "p",
     [](const std::string& path) {
       must_run({"zstd", "--quiet", "--rm", path});
     },
     "success", 1},
    {"whole_plain_lz4", "p",
     [](const std::string& path) {
       must_run({"lz4", "--quiet", "--rm", path, path + ".lz4"});
     },
     "success", 1},
    {"whole_custom", "c", nothing, "success", 1},
    {"whole_custom_gz", "c",
     [](const std::string& path) {
       must_run({"gzip", path});
     },
     "success", 1},
    {"whole_tar", "t", nothing, "success", 1},
    {"whole_folder", "d", nothing, "success", 1},
    {"half_plain", "p", halve, "failed", 0},
    {"half_custom", "c", halve, "failed", 0},
    {"half_tar", "t", halve, "failed", 0},
    {"half_plain_gz", "p",
     [](const std::string& path) {
       must_run({"gzip", path});
       halve(path + ".gz");
     },
     "success", 1},
    {"half_contents_of_folder", "d", [](const std::string& path) { halve(path + "/toc.dat"); },
     "failed", 0},
    {"last_20_bytes_of_plain", "p", [](const std::string& path) { cut(path, 20); }, "failed", 0},
    {"last_20_bytes_of_custom", "c", [](const std::string& path) { cut(path, 20); }, "failed", 0},
    {"last_20_bytes_of_tar", "t", [](const std::string& path) { cut(path, 20); }, "failed", 0},
    {"last_20_bytes_of_plain_gz", "p",
     [](const std::string& path) {
       must_run({"gzip", path});
       cut(path + ".gz", 20);
     },
     "success", 1},
    {"flipped_plain", "p", flip, "success", 1},
    {"damaged_from_the_start_plain_gz", "p",
     [](const std::string& path) {
       must_run({"gzip", "--no-name", path});
       std::string content = content_of(path + ".gz");
       content.at(10) = static_cast<char>(content.at(10) | 6);  // an invalid type of block
       write(path + ".gz", content);
     },
     "failed", 0},
    {"flipped_custom", "c", flip, "success", 1},
    {"member_missing", "d", [](const std::string& path) { fs::remove(member_of(path)); }, "failed",
     0},
    {"member_empty", "d", [](const std::string& path) { fs::resize_file(member_of(path), 0); },
     "failed", 0},
    {"contents_missing", "d", [](const std::string& path) { fs::remove(path + "/toc.dat"); },
     "other", 0},
    {"zero_bytes", "p", [](const std::string& path) { fs::resize_file(path, 0); }, "other", 0},
    {"gzip_of_nothing", "p",
     [](const std::string& path) {
       fs::resize_file(path, 0);
       must_run({"gzip", path});
     },
     "other", 0},
    {"html_page", "", [](const std::string& path) { write(path, kHtml); }, "other", 0},
    {"html_page_gz", "",
     [](const std::string& path) {
       write(path, kHtml);
       must_run({"gzip", path});
     },
     "other", 0},
    {"link_to_itself", "", [](const std::string& path) { fs::create_symlink(path, path); }, "other",
     0},
};

class Damage : public ::testing::Test {
 protected:
  Damage() {
    shop_.run(R"(CREATE TABLE customer (id int PRIMARY KEY, name text);
      INSERT INTO customer SELECT i, md5(i::text) FROM generate_series(1, 3000) i;
      CREATE TABLE empty (id int))");
  }

  std::string dump(const std::string& name, const std::string& format, const Database& of) const {
    const std::string path = directory_.path() + "/" + name;
    must_run({Cluster::programs() + "/pg_dump", "-d", of.dsn(), "-F", format, "-f", path});
    return path;
  }
  std::string dump(const std::string& name, const std::string& format) const {
    return dump(name, format, shop_);
  }

  /// Sets the modification time of everything that is there.
  void set_age(double hours, const std::string& only = {}) const {
    const time_t when = std::time(nullptr) - static_cast<time_t>(hours * 3600);
    const utimbuf times{when, when};
    for (const auto& entry : fs::recursive_directory_iterator(directory_.path()))
      if (!entry.is_symlink() && (only.empty() || entry.path().filename() == only))
        ::utime(entry.path().c_str(), &times);
  }

  /// Looks at a source with kinds whose names are the prefixes of their files.
  [[nodiscard]] Findings look_at(const std::vector<std::string>& kinds,
                                 const std::string& more = {}) const {
    std::string source = "[[server.backups]]\nname = \"dir\"\nmin_size = 0\ndirectory = \"" +
                         directory_.path() + "\"\n" + more;
    for (const std::string& kind : kinds)
      source.append("[server.backups.kinds.")
          .append(kind)
          .append("]\npattern = \"")
          .append(kind)
          .append("-*\"\nevery = \"24h\"\n");
    return look(one_server(shop_.dsn(), source, "backups"));
  }

  static std::string status(const Findings& found, const std::string& kind) {
    std::string statuses;
    for (const Series& series : found.page.all("pg_integrity_backups", {{"kind", kind}}))
      if (series.value == 1) statuses += series.labels.at("status");
    return statuses;
  }

  const Database shop_;
  const TemporaryDirectory directory_;
};

TEST_F(Damage, EachReachesTheLevelThatBothEndsProve) {
  std::vector<std::string> kinds;
  for (const Case& one : kCases) {
    const std::string path = directory_.path() + "/" + one.name + "-1";
    if (*one.format != '\0') dump(one.name + std::string("-1"), one.format);
    one.damage(path);
    kinds.emplace_back(one.name);
  }
  set_age(1);
  const Findings found = look_at(kinds);
  for (const Case& one : kCases) {
    SCOPED_TRACE(one.name);
    EXPECT_EQ(status(found, one.name), one.status);
    const LabelSet kind{{"source", "dir"}, {"kind", one.name}};
    const auto level = found.value("pg_integrity_backup_proof_level", kind);
    EXPECT_EQ(level, one.level > 0 ? std::optional<double>(one.level) : std::nullopt);
    EXPECT_EQ(found.value("pg_integrity_backup_proof_level_min", kind), 1);
    const std::string object = "backups/dir." + std::string(one.name);
    EXPECT_EQ(found.state(object), one.level > 0 ? State::proven : State::unproven);
    if (one.level == 0) {
      EXPECT_EQ(found.reason(object), Reason::missing);
    }
  }
}

TEST_F(Damage, WhatHasNotReachedTheLevelThatIsAskedForDoesNotCount) {
  dump("day-1", "c");
  set_age(1);
  const Findings found = look_at({"day"}, "usable = 2\nretention = \"1h\"\n");
  EXPECT_EQ(status(found, "day"), "success") << "it is there";
  EXPECT_EQ(found.reason("backups/dir.day"), Reason::pending) << "not proved is not disproved";
  EXPECT_FALSE(found.value("pg_integrity_backup_age_seconds"));
  EXPECT_FALSE(found.value("pg_integrity_recovery_point_age_seconds"));
  EXPECT_EQ(found.reason("backups/dir"), Reason::missing);
}

TEST_F(Damage, AnOldDumpFreshlyCopiedKeepsItsAge) {
  age_header(dump("copied-1", "c"), 1);
  set_age(0.1);
  const Findings found = look_at({"copied"});
  constexpr double kYear = 365.0 * 86400;
  EXPECT_NEAR(found.value("pg_integrity_backup_age_seconds").value(), kYear, 2 * 86400);
  EXPECT_EQ(found.value("pg_integrity_backup_info", {{"time_source", "header"}}), 1);
  EXPECT_EQ(found.violated(), "backups/dir.copied");
}

TEST_F(Damage, WhatIsStillBeingWrittenIsNoBackupYet) {
  dump("growing-1", "p");
  const Findings found = look_at({"growing"});
  EXPECT_EQ(status(found, "growing"), "running");
  EXPECT_EQ(found.reason("backups/dir.growing"), Reason::missing);
}

TEST_F(Damage, WhatCannotBeReadMayBeTheNewest) {
  dump("sealed-1", "c");
  ::chmod((directory_.path() + "/sealed-1").c_str(), 0000);
  set_age(1);
  const Unprivileged nobody;
  const Findings found = look_at({"sealed"});
  EXPECT_EQ(status(found, "sealed"), "other");
  EXPECT_EQ(found.reason("backups/dir.sealed"), Reason::permission);
}

TEST_F(Damage, ADumpWithoutAnyDataFailed) {
  const Database empty;
  for (const char* format : {"c", "t", "d"}) dump(std::string(format) + "-1", format, empty);
  set_age(1);
  const Findings found = look_at({"c", "t", "d"});
  for (const char* kind : {"c", "t", "d"}) EXPECT_EQ(status(found, kind), "failed") << kind;
}

TEST_F(Damage, ADumpOfAnotherDatabaseIsNone) {
  const Database other;
  other.run("CREATE TABLE t AS SELECT generate_series(1, 1000) i");
  for (const char* format : {"c", "t", "d"}) {
    dump(std::string(format) + "-1", format, other);
    dump(std::string("own_") + format + "-1", format);
  }
  set_age(1);
  const Findings found =
      look_at({"c", "t", "d", "own_c", "own_t", "own_d"}, "database = \"" + shop_.name() + "\"\n");
  for (const char* format : {"c", "t", "d"}) {
    EXPECT_EQ(status(found, format), "other") << format;
    EXPECT_EQ(status(found, std::string("own_") + format), "success") << format;
  }
}

/// Records as `drill --proof-only` leaves them.
class Proofs : public Damage {
 protected:
  /// @param failed_level 0 if nothing is wrong with the backup.
  void record(const std::string& name, int level, int failed_level = 0) const {
    const std::string path = directory_.path() + "/" + name;
    struct stat facts {};
    ASSERT_EQ(::stat(path.c_str(), &facts), 0);
    std::string text = R"({"format": 1, "record": "proof", "path": ")" + path + R"(", "inode": )" +
                       std::to_string(facts.st_ino) + R"(, "size": )" +
                       std::to_string(facts.st_size) + R"(, "modified": )" +
                       std::to_string(facts.st_mtime) + R"(, "level": )" + std::to_string(level) +
                       R"(, "checked_at": 1)";
    if (failed_level > 0)
      text += R"(, "failed_level": )" + std::to_string(failed_level) + R"(, "disproof": "broken")";
    static_cast<void>(records_.write("proof-" + name + ".json", text + "}"));
  }

  [[nodiscard]] Findings look_at(const std::string& more = {}) const {
    return look(one_server(shop_.dsn(),
                           "drills = { directory = \"" + records_.path() +
                               "\" }\n[[server.backups]]\nname = \"dir\"\ndirectory = \"" +
                               directory_.path() + "\"\nevery = \"24h\"\n" + more,
                           "backups"));
  }

  static constexpr const char* kObject = "backups/dir.dump";
  const TemporaryDirectory records_;
};

TEST_F(Proofs, OnesThatAreRecordedAreAskedFor) {
  dump("a", "c");
  set_age(2);
  Findings found = look_at();
  EXPECT_EQ(found.value("pg_integrity_backup_proof_level_min"), 2);
  EXPECT_EQ(found.reason(kObject), Reason::pending) << "not proved is not disproved";
  EXPECT_EQ(found.value("pg_integrity_backup_proof_failed"), 0);
  EXPECT_EQ(look_at("usable = 1\n").state(kObject), State::proven);

  record("a", 3);
  found = look_at();
  EXPECT_EQ(found.state(kObject), State::proven);
  EXPECT_EQ(found.value("pg_integrity_backup_proof_level"), 3);
  EXPECT_NEAR(found.value("pg_integrity_backup_proven_age_seconds").value(), 7200, 60);

  set_age(1);
  EXPECT_EQ(look_at().reason(kObject), Reason::pending) << "it has changed since";
}

TEST_F(Proofs, ADisproofIsAFindingAndTheBackupDoesNotCount) {
  dump("old", "c");
  dump("new", "c");
  set_age(30, "old");
  set_age(1, "new");
  record("old", 2);
  record("new", 2, 3);
  Findings found = look_at();
  EXPECT_EQ(found.value("pg_integrity_backup_proof_failed"), 1);
  EXPECT_EQ(found.violated(), kObject);
  EXPECT_NEAR(found.value("pg_integrity_backup_age_seconds").value(), 30 * 3600, 60);
  EXPECT_NEAR(found.value("pg_integrity_recovery_point_age_seconds").value(), 30 * 3600, 60);
  fs::remove(directory_.path() + "/new");
  set_age(3, "old");
  record("old", 2);
  found = look_at();
  EXPECT_EQ(found.value("pg_integrity_backup_proof_failed"), 0);
  EXPECT_EQ(found.state(kObject), State::proven);
}

}  // namespace
}  // namespace pg_integrity::test::backup_damage_test
