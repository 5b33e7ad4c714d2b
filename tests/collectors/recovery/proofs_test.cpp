// Real dumps in a directory, which the exporter reads by itself.
#include <gtest/gtest.h>
#include <utime.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "collectors/base/errors.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/verdict.h"
#include "exporter/report/report.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"
#include "tests/support/plain_dump.h"
#include "tests/support/temporary.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::proofs_test {
namespace {

namespace fs = std::filesystem;

const LabelSet kOf{{"source", "dumps"}, {"kind", "dump"}};

void shell(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error(command);
}

std::string with_proofs(std::string toml) {
  const std::string off = "[defaults.collectors.proofs]\nenabled = false\n";
  const std::size_t at = toml.find(off);
  if (at == std::string::npos) throw std::runtime_error(toml);
  return toml.erase(at, off.size());
}

class ProofsIn : public ::testing::Test {
 protected:
  ProofsIn() {
    db_.run(
        "create table a(id int, t text); insert into a select i, md5(i::text) from "
        "generate_series(1, 30000) i");
  }

  /// Takes a dump that seems to be that old.
  void dump(const std::string& name, const std::string& form, double hours_old = 1) const {
    shell(Cluster::programs() + "/pg_dump -d '" + db_.dsn() + "' " + form + " -f " + path(name));
    age(name, hours_old);
  }
  void age(const std::string& name, double hours_old) const {
    const time_t when = std::time(nullptr) - static_cast<time_t>(hours_old * 3600);
    const utimbuf times{when, when};
    if (fs::is_directory(path(name)))
      for (const auto& member : fs::directory_iterator(path(name)))
        ::utime(member.path().c_str(), &times);
    ::utime(path(name).c_str(), &times);
  }
  void harm(const std::string& name, double hours_old = 1) const {
    std::fstream file(path(name), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(fs::file_size(path(name)) / 2));
    file << std::string(20000, '\0');
    file.close();
    age(name, hours_old);
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return place_.path() + "/" + name;
  }
  [[nodiscard]] std::string config(const std::string& more = {}) const {
    return "[[server.backups]]\nname = \"dumps\"\ndirectory = \"" + place_.path() +
           "\"\npattern = \"*.dump*\"\nevery = \"24h\"\n" + more + "\n";
  }
  /// Lets the exporter look, with what it knew before. Its other collectors are off.
  const Findings& look_again(const std::string& more = {}) {
    found_ = std::make_unique<Findings>(look(toml(more), found_ ? found_->saved : nullptr));
    return *found_;
  }
  [[nodiscard]] std::string toml(const std::string& more) const {
    return with_proofs(one_server(db_.dsn(), config(more), "backups"));
  }
  /// As look_again(), twice: `backups` learns in the second pass what `proofs` found in the first.
  const Findings& look_twice(const std::string& more = {}) {
    look_again(more);
    return look_again(more);
  }
  [[nodiscard]] State answer() const {
    for (const ReportDatabase& database : found_->report.servers.at(0).databases)
      for (const ReportQuestion& question : database.questions)
        if (question.question == Question::recoverable) return question.state;
    return State::observed;
  }
  [[nodiscard]] std::string told(const std::string& object) const {
    std::string text;
    for (const std::string& line : found_->object(object).findings) text += line + "\n";
    for (const std::string& line : found_->object(object).lines) text += line + "\n";
    return text;
  }

  Database db_;
  TemporaryDirectory place_;
  std::unique_ptr<Findings> found_;
};

TEST_F(ProofsIn, ABackupThatWasReadToItsEndProvesThatItCanBeGotBack) {
  dump("1.dump", "-Fc");
  const Findings& found = look_twice();
  EXPECT_EQ(found.state("proofs/dumps.dump"), State::proven);
  EXPECT_EQ(answer(), State::proven);
  EXPECT_EQ(found.value("pg_integrity_backup_proved", kOf), 1);
  EXPECT_EQ(found.value("pg_integrity_backup_proof_level", kOf), 2);
  EXPECT_EQ(found.value("pg_integrity_backup_proof_max_age_seconds", kOf), 7.0 * 86400);
  EXPECT_LT(found.value("pg_integrity_backup_proof_age_seconds", kOf).value(), 60);
  const std::string words = told("proofs/dumps.dump");
  EXPECT_NE(words.find("1.dump was read to its end"), std::string::npos) << words;
  EXPECT_NE(words.find("every checksum is right, 30000 rows"), std::string::npos) << words;
}

/// B1: a dump of which 200 kB in the middle are zeros.
TEST_F(ProofsIn, ADamagedBackupIsViolatedWithFileAndByte) {
  dump("1.dump", "-Fc");
  harm("1.dump");
  const Findings& found = look_twice();
  EXPECT_EQ(found.state("backups/dumps.dump"), State::violated);
  EXPECT_EQ(found.value("pg_integrity_backup_proof_failed", kOf), 1);
  EXPECT_EQ(answer(), State::violated);
  const std::string words = told("backups/dumps.dump");
  EXPECT_NE(words.find("1.dump: a proof failed: it is damaged at about byte "), std::string::npos)
      << words;
  fs::remove(path("1.dump"));
  dump("2.dump", "-Fc");
  EXPECT_EQ(look_again().state("backups/dumps.dump"), State::proven) << "it is gone";
}

/// B2: a dump whose tail is a hole.
TEST_F(ProofsIn, AHoleIsNoEnd) {
  dump("1.dump", "-Fc");
  const auto size = fs::file_size(path("1.dump"));
  fs::resize_file(path("1.dump"), 3000);
  fs::resize_file(path("1.dump"), size);
  age("1.dump", 1);
  EXPECT_EQ(look_twice().state("backups/dumps.dump"), State::violated);
}

TEST_F(ProofsIn, TheNextBackupIsReadWhenTheNewestIsDamaged) {
  dump("1.dump", "-Fc", 20);
  dump("2.dump", "-Fc", 1);
  harm("2.dump");
  const Findings& found = look_twice();
  EXPECT_EQ(found.state("proofs/dumps.dump"), State::proven);
  EXPECT_EQ(found.state("backups/dumps.dump"), State::violated);
  EXPECT_NEAR(found.value("pg_integrity_backup_age_seconds", kOf).value(), 20 * 3600, 120);
}

TEST_F(ProofsIn, WithoutChecksumsItTakesTheDigestOfWhenItWasTaken) {
  dump("1.dump", "-Fp");
  EXPECT_EQ(look_twice().reason("proofs/dumps.dump"), Reason::not_proved);
  EXPECT_EQ(answer(), State::unproven);
  EXPECT_EQ(found_->value("pg_integrity_backup_proof_level", kOf), 1);
  EXPECT_NE(told("proofs/dumps.dump").find("sha256sum FILE > FILE.sha256"), std::string::npos);
  shell("cd " + place_.path() + " && sha256sum 1.dump > 1.dump.sha256");
  EXPECT_EQ(look_twice().state("proofs/dumps.dump"), State::proven);
  EXPECT_EQ(answer(), State::proven);
  EXPECT_NE(told("proofs/dumps.dump").find("its bytes are those of when it was taken"),
            std::string::npos);
}

TEST_F(ProofsIn, DamageThatKeepsTheFormIsFoundByTheDigest) {
  dump("1.dump", "-Fp");
  shell("cd " + place_.path() +
        " && sha256sum 1.dump > 1.dump.sha256 && sed -i "
        "'s/\\(c4ca4238a0b92382\\)/d\\1/; s/dc4ca4238a0b92382./dc4ca4238a0b92382/' 1.dump");
  age("1.dump", 1);
  EXPECT_EQ(look_twice().state("backups/dumps.dump"), State::violated);
}

TEST_F(ProofsIn, AFolderIsReadMemberByMember) {
  dump("1.dump", "-Fd");
  EXPECT_EQ(look_twice().state("proofs/dumps.dump"), State::proven);
}

TEST_F(ProofsIn, NothingIsReadThatMustNotBe) {
  dump("1.dump", "-Fc");
  EXPECT_EQ(look_twice("proof = false").reason("proofs/dumps.dump"), Reason::not_proved);
  EXPECT_EQ(answer(), State::unproven);
  EXPECT_EQ(found_->state("backups/dumps.dump"), State::proven) << "it is there, and not too old";
}

/// Whether a proof is violated when it is too old, and nothing newer can be proved.
bool is_violated_after_three_hours(const std::string& toml, const std::function<void()>& replace) {
  RunningScheduler running(toml);
  EXPECT_TRUE(eventually([&] {
    const Findings found = running.findings();
    return found.has_object("proofs/dumps.dump") &&
           found.state("proofs/dumps.dump") == State::proven;
  }));
  replace();
  running.clock.advance(Seconds(3 * 3600));
  return eventually(
      [&] { return running.findings().state("proofs/dumps.dump") == State::violated; });
}

TEST_F(ProofsIn, OnlyALimitThatWasSetIsViolated) {
  const auto replace = [&] {
    fs::remove(path("1.dump"));
    dump("2.dump", "-Fp");
  };
  dump("1.dump", "-Fc");
  EXPECT_TRUE(is_violated_after_three_hours(toml("proof_max_age = \"1h\""), replace));
}

TEST_F(ProofsIn, AProofIsRememberedAndTheFileIsNotReadAgain) {
  dump("1.dump", "-Fc");
  look_twice();
  const auto read = [&] {
    return found_->value("pg_integrity_backup_read_bytes_total", {{"source", "dumps"}}).value();
  };
  const auto age = found_->value("pg_integrity_backup_proof_age_seconds", kOf).value();
  const double before = read();
  EXPECT_EQ(before, static_cast<double>(fs::file_size(path("1.dump"))));
  look_again();
  EXPECT_GE(found_->value("pg_integrity_backup_proof_age_seconds", kOf).value(), age);
  EXPECT_EQ(read(), before);
}

TEST_F(ProofsIn, AProofOutlivesItsFile) {
  dump("1.dump", "-Fc");
  look_twice();
  fs::remove(path("1.dump"));
  dump("2.dump", "-Fp");
  EXPECT_EQ(look_twice().state("proofs/dumps.dump"), State::proven);
  EXPECT_NE(told("proofs/dumps.dump").find("1.dump was read"), std::string::npos);
}

TEST_F(ProofsIn, WhatCannotBeReadHereIsNotBlamed) {
  std::ofstream(path("1.dump"), std::ios::binary)
      << std::string("\x28\xb5\x2f\xfd\x04", 5) << std::string(3000, 'x');
  age("1.dump", 1);
  look_twice();
  EXPECT_EQ(found_->reason("proofs/dumps.dump"), Reason::not_proved);
  EXPECT_NE(told("proofs/dumps.dump").find("more memory than a reading may have"),
            std::string::npos);
  shell("head -c 4000 /dev/urandom | zstd -q -f -o " + path("1.dump"));
  age("1.dump", 1);
  look_twice();
  EXPECT_EQ(found_->reason("proofs/dumps.dump"), Reason::not_proved);
  EXPECT_EQ(answer(), State::unproven) << "nobody knows what is in it";
}

TEST_F(ProofsIn, ATableOfBackupsIsAKnownLimit) {
  db_.run(
      "create table history (at timestamptz, what text); insert into history values (now(), 'a')");
  const std::string table =
      "[[server.backups]]\nname = \"log\"\ntable = { table = \"history\", time = \"at\", kind = "
      "\"what\" }\nkinds = { a = { values = [\"a\"], every = \"1d\" } }\n";
  found_ = std::make_unique<Findings>(look(with_proofs(one_server(db_.dsn(), table, "backups"))));
  EXPECT_EQ(found_->state("backups/log.a"), State::proven);
  EXPECT_EQ(found_->state("proofs/log.a"), State::limited);
  EXPECT_EQ(answer(), State::unproven);
}

}  // namespace
}  // namespace pg_integrity::test::proofs_test
