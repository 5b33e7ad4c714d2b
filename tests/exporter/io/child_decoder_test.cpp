// Real dumps in each of their formats, whole and damaged, read by the real child process.
#include "exporter/io/child_decoder.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "collectors/base/errors.h"
#include "exporter/io/clock.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/files.h"
#include "tests/support/cluster.h"
#include "tests/support/failure.h"
#include "tests/support/paths.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::child_decoder_test {
namespace {

namespace fs = std::filesystem;
using State = Decoded::State;

constexpr double kMuch = 1e9;  ///< bytes

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void shell(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error(command);
}

/// Dumps of one database, made once for all tests.
struct Dumps {
  Dumps() {
    database.run(
        "create table a(id int, t text, b bytea);"
        "insert into a select i, case i % 5 when 0 then null when 1 then e'tab\\t\\\\ and\\nline' "
        "else md5(i::text) end, decode(md5(i::text), 'hex') from generate_series(1, 20000) i;"
        "create table \"odd,(name\" (\"co,l)(\" int, \"x\"\"y\" text);"
        "insert into \"odd,(name\" values (1, 'a'), (2, null);"
        "create table none(x int, y int);"
        "create function f() returns text language sql as $b$ select '\nCOPY x (a) FROM stdin;\n' "
        "$b$;"
        "select lo_from_bytea(0, decode(repeat(md5('x'), 5000), 'hex'))");
    dump("custom", "-Fc");
    dump("custom0", "-Fc -Z0");
    dump("customins", "-Fc --inserts");
    dump("tar", "-Ft");
    dump("plain", "");
    dump("inserts", "--inserts --rows-per-insert=10");
    dump("plain.gz", "-Z6");
    dump("folder", "-Fd");
    dump("folder0", "-Fd -Z0");
    shell(
        "cd " + path() +
        " && zstd -q plain -o plain.zst && lz4 -q plain plain.lz4 && xz -k plain && bzip2 -k plain"
        " && gzip -k tar && zstd -q custom0 -o custom0.zst && sed 's/$/\\r/' plain > returns"
        " && zstd -q --no-check plain -o unchecked.zst && xz -9 -c plain > large.xz");
    shell(Cluster::programs() + "/pg_dumpall -d '" + database.dsn() + "' -f " + path() +
          "/cluster");
  }
  void dump(const std::string& name, const std::string& form) const {
    shell(Cluster::programs() + "/pg_dump -d '" + database.dsn() + "' " + form + " -f " + path() +
          "/" + name);
  }
  [[nodiscard]] const std::string& path() const { return directory.path(); }

  Database database;
  TemporaryDirectory directory;
};

class ChildDecoderOf : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { dumps_ = new Dumps; }
  static void TearDownTestSuite() {
    delete dumps_;
    dumps_ = nullptr;
  }

  DecodeTarget target_at(const std::string& path) {
    WorkerFiles files(workers_, clock_.now() + Seconds(60));
    const fs::path whole(path);
    DecodeTarget target{path};
    for (const FileEntry& entry : files.list(whole.parent_path().string(), "*", 1000))
      if (entry.name == whole.filename().string()) target.as = entry;
    return target;
  }
  Decoded read(const DecodeTarget& target) {
    decoder_.begin(target);
    for (;;) {
      const Decoded found = decoder_.read_on(kMuch);
      if (found.state != State::more) return found;
    }
  }
  Decoded read(const std::string& name) { return read(target_at(dumps_->path() + "/" + name)); }
  Decoded read_bytes(const std::string& bytes) {
    return read(target_at(harmed_.write("harmed", bytes)));
  }
  /// What becomes of a dump of which the bytes were changed.
  template <typename Harm>
  Decoded harmed(const std::string& name, Harm harm) {
    std::string bytes = bytes_of(dumps_->path() + "/" + name);
    harm(bytes);
    return read_bytes(bytes);
  }
  std::string digest_of(const std::string& path) {
    shell("sha256sum " + path + " > " + harmed_.path() + "/sum");
    return bytes_of(harmed_.path() + "/sum").substr(0, 64);
  }

  static Dumps* dumps_;
  const SystemClock clock_;
  DisposableWorkers workers_{clock_};
  ChildDecoder decoder_{workers_, clock_, program()};
  TemporaryDirectory harmed_;
};

Dumps* ChildDecoderOf::dumps_ = nullptr;

TEST_F(ChildDecoderOf, ReadsEveryFormatToItsEnd) {
  struct Format {
    std::string name;
    bool covered;
    double rows;
  };
  for (const Format& format : std::vector<Format>{{"custom", true, 20002},
                                                  {"custom0", false, 20002},
                                                  {"customins", true, 0},
                                                  {"tar", false, 20002},
                                                  {"plain", false, 20002},
                                                  {"inserts", false, 0},
                                                  {"folder", true, 20002},
                                                  {"folder0", false, 20002},
                                                  {"plain.gz", true, 20002},
                                                  {"plain.zst", true, 20002},
                                                  {"plain.lz4", true, 20002},
                                                  {"plain.xz", true, 20002},
                                                  {"plain.bz2", true, 20002},
                                                  {"tar.gz", true, 20002},
                                                  {"custom0.zst", true, 20002},
                                                  {"returns", false, 20002},
                                                  {"unchecked.zst", false, 20002}}) {
    const Decoded found = read(format.name);
    EXPECT_EQ(found.state, State::whole) << format.name << ": " << found.why;
    EXPECT_EQ(found.covered, format.covered) << format.name;
    EXPECT_EQ(found.rows, format.rows) << format.name;
    EXPECT_GT(found.bytes, 1000) << format.name;
  }
  EXPECT_EQ(read("cluster").state, State::whole);
}

TEST_F(ChildDecoderOf, FindsDamageOfEveryKind) {
  const auto zeros = [](std::string& bytes) {
    const std::size_t middle = bytes.size() / 2;
    const std::size_t count = std::min<std::size_t>(200000, bytes.size() / 4);
    bytes.replace(middle, count, count, '\0');
  };
  const auto half = [](std::string& bytes) { bytes.resize(bytes.size() / 2); };
  const auto tail = [](std::string& bytes) { bytes.resize(bytes.size() - 20); };
  const auto hole = [](std::string& bytes) { std::fill(bytes.begin() + 2000, bytes.end(), '\0'); };
  const auto twice = [](std::string& bytes) {
    bytes.insert(bytes.size() / 2, bytes.substr(bytes.size() / 3, 65536));
  };
  const auto dropped = [](std::string& bytes) { bytes.erase(bytes.size() / 2, 65536); };
  const auto more = [](std::string& bytes) { bytes += "more"; };
  for (const std::string name : {"custom", "custom0", "tar", "plain", "plain.gz", "plain.zst",
                                 "plain.lz4", "plain.xz", "plain.bz2", "tar.gz", "custom0.zst"}) {
    EXPECT_EQ(harmed(name, zeros).state, State::damaged) << name << ": zeros";
    EXPECT_EQ(harmed(name, half).state, State::damaged) << name << ": half";
    EXPECT_EQ(harmed(name, tail).state, State::damaged) << name << ": tail";
    EXPECT_EQ(harmed(name, hole).state, State::damaged) << name << ": hole";
    EXPECT_EQ(harmed(name, twice).state, State::damaged) << name << ": twice";
    EXPECT_EQ(harmed(name, dropped).state, State::damaged) << name << ": dropped";
    EXPECT_EQ(harmed(name, more).state, State::damaged) << name << ": more";
  }
}

TEST_F(ChildDecoderOf, FindsAFlippedBitWhereverAChecksumCoversIt) {
  for (const std::string name : {"custom", "plain.gz", "plain.zst", "plain.lz4", "plain.xz",
                                 "plain.bz2", "tar.gz", "custom0.zst"})
    for (const double where : {0.3, 0.6, 0.9}) {
      const auto flip = [&](std::string& bytes) {
        char& byte = bytes[static_cast<std::size_t>(where * static_cast<double>(bytes.size()))];
        byte = static_cast<char>(byte ^ 4);
      };
      EXPECT_EQ(harmed(name, flip).state, State::damaged) << name << " at " << where;
    }
}

TEST_F(ChildDecoderOf, SaysFileAndByteOfTheDamage) {
  const Decoded found =
      harmed("custom", [](std::string& bytes) { bytes.resize(bytes.size() / 2); });
  EXPECT_EQ(found.file, "harmed");
  EXPECT_EQ(found.at, static_cast<double>(bytes_of(dumps_->path() + "/custom").size() / 2));
  EXPECT_EQ(found.why, "its end is missing");
}

TEST_F(ChildDecoderOf, FindsDamageInAFolder) {
  const std::string copy = harmed_.path() + "/copy";
  const auto fresh = [&](const std::string& name) {
    fs::remove_all(copy);
    fs::copy(dumps_->path() + "/" + name, copy, fs::copy_options::recursive);
  };
  const auto largest = [&] {
    fs::path found;
    for (const auto& entry : fs::directory_iterator(copy))
      if (found.empty() || entry.file_size() > fs::file_size(found)) found = entry.path();
    return found;
  };
  fresh("folder");
  EXPECT_EQ(read(target_at(copy)).state, State::whole);
  std::string bytes = bytes_of(largest().string());
  bytes.replace(bytes.size() / 2, 100, 100, '\0');
  std::ofstream(largest(), std::ios::binary) << bytes;
  const Decoded zeros = read(target_at(copy));
  EXPECT_EQ(zeros.state, State::damaged);
  EXPECT_EQ(zeros.file, largest().filename().string());
  fresh("folder");
  fs::remove(largest());
  EXPECT_EQ(read(target_at(copy)).state, State::damaged);
  fresh("folder0");
  fs::resize_file(largest(), fs::file_size(largest()) / 2);
  EXPECT_EQ(read(target_at(copy)).state, State::damaged);
  fresh("folder");
  fs::remove(copy + "/toc.dat");
  EXPECT_EQ(read(target_at(copy)).state, State::damaged);
}

/// A table of contents may name any path, and a member may be a link.
TEST_F(ChildDecoderOf, OpensNothingOutsideOfTheFolder) {
  const std::string copy = harmed_.path() + "/copy";
  fs::copy(dumps_->path() + "/folder", copy, fs::copy_options::recursive);
  std::string toc = bytes_of(copy + "/toc.dat");
  const std::size_t at = toc.find(".dat");
  ASSERT_NE(at, std::string::npos);
  toc.replace(at - 1, 1, "/");
  std::ofstream(copy + "/toc.dat", std::ios::binary) << toc;
  EXPECT_EQ(read(target_at(copy)).state, State::damaged);
  fs::copy(dumps_->path() + "/folder/toc.dat", copy + "/toc.dat",
           fs::copy_options::overwrite_existing);
  for (const auto& entry : fs::directory_iterator(copy))
    if (entry.path().extension() == ".gz") {
      fs::rename(entry.path(), harmed_.path() + "/elsewhere");
      fs::create_symlink(harmed_.path() + "/elsewhere", entry.path());
      break;
    }
  EXPECT_EQ(read(target_at(copy)).state, State::unknown);
}

TEST_F(ChildDecoderOf, ComparesTheDigestOfWhenItWasTaken) {
  DecodeTarget plain = target_at(dumps_->path() + "/plain");
  plain.digests["plain"] = digest_of(plain.path);
  const Decoded same = read(plain);
  EXPECT_EQ(same.state, State::whole);
  EXPECT_TRUE(same.digest_equal);
  plain.digests["plain"][0] ^= 1;
  const Decoded other = read(plain);
  EXPECT_EQ(other.state, State::damaged);
  EXPECT_EQ(other.file, "plain");

  DecodeTarget folder = target_at(dumps_->path() + "/folder0");
  for (const auto& entry : fs::directory_iterator(folder.path))
    folder.digests[entry.path().filename().string()] = digest_of(entry.path().string());
  EXPECT_TRUE(read(folder).digest_equal);
  folder.digests.erase("toc.dat");
  EXPECT_FALSE(read(folder).digest_equal) << "one of its files has none";
}

TEST_F(ChildDecoderOf, DoesNotBlameTheBackupForWhatItCannotRead) {
  const Decoded large = read("large.xz");
  EXPECT_EQ(large.state, State::unknown) << "its decompressor needs more than 32 MiB";
  EXPECT_EQ(large.reason, Reason::limit);
  shell("gzip -c " + dumps_->path() + "/plain.zst > " + harmed_.path() + "/twice.gz");
  EXPECT_EQ(read(target_at(harmed_.path() + "/twice.gz")).state, State::unknown);
  EXPECT_EQ(read_bytes("something else\n").state, State::unknown);
}

/// Whoever kills the process, and whatever for, says nothing about the backup.
TEST_F(ChildDecoderOf, DoesNotBlameTheBackupForAKilledProcess) {
  decoder_.begin(target_at(dumps_->path() + "/plain"));
  ASSERT_EQ(decoder_.read_on(1).state, State::more);
  shell(
      "kill -9 $(grep -l decode_backup /proc/[0-9]*/comm | cut -d/ -f3 |"
      " while read p; do grep -q '^PPid:.*\\b" +
      std::to_string(::getpid()) + "$' /proc/$p/status && echo $p; done)");
  const Decoded found = decoder_.read_on(kMuch);
  EXPECT_EQ(found.state, State::unknown);
  EXPECT_NE(found.why.find("signal 9"), std::string::npos) << found.why;
  EXPECT_FALSE(decoder_.reading());
}

TEST_F(ChildDecoderOf, ReadsNoMoreThanItMay) {
  decoder_.begin(target_at(dumps_->path() + "/plain"));
  Decoded found = decoder_.read_on(300000);
  EXPECT_EQ(found.state, State::more);
  EXPECT_LE(found.bytes, 600000);
  const double before = found.bytes;
  found = decoder_.read_on(300000);
  EXPECT_GT(found.bytes, before);
  EXPECT_LE(found.bytes, before + 600000);
  decoder_.end();
  EXPECT_FALSE(decoder_.reading());
}

TEST_F(ChildDecoderOf, RefusesAnotherFileThanTheListedOne) {
  DecodeTarget target = target_at(dumps_->path() + "/plain");
  target.as.size += 1;
  EXPECT_EQ(failure([&] { decoder_.begin(target); }).reason(), Reason::pending);
  target.path += "-not-there";
  EXPECT_EQ(failure([&] { decoder_.begin(target); }).reason(), Reason::io);
}

TEST_F(ChildDecoderOf, ASecondReadingEndsTheFirst) {
  decoder_.begin(target_at(dumps_->path() + "/plain"));
  decoder_.read_on(1);
  EXPECT_EQ(read("plain.gz").state, State::whole);
}

/// What the kernel says of the child while it reads.
TEST_F(ChildDecoderOf, TheChildIsConfined) {
  ::setenv("PG_INTEGRITY_TEST_SECRET", "secret", 1);
  decoder_.begin(target_at(dumps_->path() + "/plain"));
  ASSERT_EQ(decoder_.read_on(1).state, State::more);
  ::unsetenv("PG_INTEGRITY_TEST_SECRET");
  std::string child;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string status = bytes_of(entry.path().string() + "/status");
    if (status.find("Name:\tdecode_backup") == 0 &&
        status.find("\nPPid:\t" + std::to_string(::getpid()) + "\n") != std::string::npos)
      child = entry.path().string();
  }
  ASSERT_FALSE(child.empty());
  const std::string status = bytes_of(child + "/status");
  EXPECT_NE(status.find("\nNoNewPrivs:\t1\n"), std::string::npos);
  const std::string limits = bytes_of(child + "/limits");
  EXPECT_NE(limits.find("Max file size             0 "), std::string::npos) << limits;
  EXPECT_NE(limits.find("Max processes             0 "), std::string::npos) << limits;
  EXPECT_EQ(bytes_of(child + "/environ").find("SECRET"), std::string::npos);
  std::size_t descriptors = 0;
  for (const auto& descriptor : fs::directory_iterator(child + "/fd")) {
    ++descriptors;
    const std::string leads_to = fs::read_symlink(descriptor.path()).string();
    EXPECT_TRUE(leads_to == "/dev/null" || leads_to.starts_with("socket:") ||
                leads_to.starts_with("pipe:") || leads_to == dumps_->path() + "/plain")
        << leads_to;
  }
  EXPECT_EQ(descriptors, 4U);
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_NE(status.find("\nSeccomp:\t2\n"), std::string::npos);
  const std::size_t at = status.find("\nVmHWM:");
  EXPECT_LE(std::stol(status.substr(at + 7)), 32 * 1024) << "kB of memory";
#endif
}

}  // namespace
}  // namespace pg_integrity::test::child_decoder_test
