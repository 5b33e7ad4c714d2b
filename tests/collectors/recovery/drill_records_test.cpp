#include "collectors/recovery/drill_records.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/ports/files.h"
#include "exporter/commands/drill.h"
#include "exporter/io/clock.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/files.h"
#include "exporter/io/json_reader.h"
#include "tests/support/failure.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::drill_records_test {
namespace {

constexpr const char* kProof = R"({"format": 1, "record": "proof", "path": "/b/a.dump",
  "inode": 12, "size": 3456, "modified": 1764720000.25, "level": 2, "failed_level": 3,
  "disproof": "it ends early", "checked_at": 1764730000})";

constexpr const char* kDrill = R"({"format": 1, "record": "drill", "server": "shop",
  "source": "dumps", "kind": "nightly", "backup": "/b/a.dump", "backup_time": 1764720000,
  "started": 1764730000, "duration_seconds": 12.5,
  "phases": [{"name": "restore", "seconds": 10}], "outcome": "unproven",
  "reasons": ["extension postgis is missing"],
  "tables": [{"schema": "public", "table": "a", "rows": 3, "unexplained_rows": 1,
              "orphaned_rows": 0},
             {"schema": "public", "table": "b", "rows": 7, "unproven": "nothing was recorded"}]})";

class RecordsIn : public ::testing::Test {
 protected:
  RecordsRead<ProofRecord> proofs() { return proofs_.read(files_, json_, directory_.path()); }
  RecordsRead<DrillRecord> drills() { return drills_.read(files_, json_, directory_.path()); }

  TemporaryDirectory directory_;
  SystemClock clock_;
  DisposableWorkers workers_{clock_};
  WorkerFiles files_{workers_, clock_.now() + Seconds(120)};
  SaxJson json_;
  ProofReader proofs_;
  DrillReader drills_;
};

TEST_F(RecordsIn, AProofSaysOfWhichFileItIsAndHowFarItCame) {
  directory_.write("proof-1.json", kProof);
  const ProofRecord proof = proofs().records.at(0);
  EXPECT_EQ(proof.level, ProofLevel::contents);
  EXPECT_TRUE(proof.disproved());
  EXPECT_EQ(proof.failed_level, ProofLevel::decoded);
  EXPECT_EQ(proof.disproof, "it ends early");
  EXPECT_EQ(proof.checked_at, 1764730000);
  FileEntry same{"a.dump", FileKind::file, 3456, 1764720000.25, 0, {}, 12};
  EXPECT_TRUE(proof.is_of("/b/a.dump", same));
  EXPECT_FALSE(proof.is_of("/b/b.dump", same));
  for (double FileEntry::*what : {&FileEntry::size, &FileEntry::inode, &FileEntry::modified}) {
    FileEntry other = same;
    other.*what += 1;
    EXPECT_FALSE(proof.is_of("/b/a.dump", other));
  }
}

TEST_F(RecordsIn, ADrillSaysWhatWasRestoredHowLongItTookAndWhatItFound) {
  directory_.write("drill-1.json", kDrill);
  directory_.write("proof-1.json", kProof);
  const DrillRecord drill = drills().records.at(0);
  EXPECT_EQ(drill.id, "drill-1");
  EXPECT_EQ(drill.server + " " + drill.source + " " + drill.kind, "shop dumps nightly");
  EXPECT_EQ(drill.backup_time, 1764720000);
  EXPECT_EQ(drill.duration, Seconds(12.5));
  EXPECT_EQ(drill.phases.at(0).name, "restore");
  EXPECT_EQ(drill.outcome, DrillOutcome::unproven);
  EXPECT_EQ(drill.reasons, std::vector<std::string>{"extension postgis is missing"});
  ASSERT_EQ(drill.tables.size(), 2U);
  EXPECT_EQ(drill.tables[0].unexplained_rows, 1);
  EXPECT_EQ(drill.tables[1].rows, 7);
  EXPECT_FALSE(drill.tables[1].unexplained_rows) << "unknown is not 0";
  EXPECT_EQ(drill.tables[1].unproven, "nothing was recorded");
}

TEST_F(RecordsIn, NoDirectoryMeansNoRecordsYet) {
  std::filesystem::remove(directory_.path());
  EXPECT_TRUE(proofs().records.empty());
}

TEST_F(RecordsIn, WhatCannotBeUsedHidesNoOther) {
  directory_.write("drill-0.json", "");
  directory_.write("drill-1.json", R"({"format": 2, "record": "drill"})");
  directory_.write("drill-2.json", kDrill);
  directory_.write("drill-3.json", kProof);
  directory_.write("drill-4.json", std::string(5 << 20, ' '));
  directory_.write("drill-5.json.new", kDrill);
  const auto found = drills();
  ASSERT_EQ(found.records.size(), 1U);
  EXPECT_EQ(found.records[0].id, "drill-2");
  ASSERT_EQ(found.unusable.size(), 4U);
  EXPECT_EQ(found.unusable[0].what, "not valid JSON");
  EXPECT_EQ(found.unusable[1].what, "written by another version");
  EXPECT_EQ(found.unusable[2].what, "no record of a drill");
  EXPECT_EQ(found.unusable[3].reason, Reason::limit);
}

TEST_F(RecordsIn, ARecordThatIsReplacedOrGoneIsNotRemembered) {
  directory_.write("proof-1.json", kProof);
  EXPECT_EQ(proofs().records.at(0).level, ProofLevel::contents);
  std::string better = kProof;
  better.replace(better.find("\"level\": 2"), 10, "\"level\": 3");
  std::filesystem::rename(directory_.write("new", better), directory_.path() + "/proof-1.json");
  EXPECT_EQ(proofs().records.at(0).level, ProofLevel::decoded);
  std::filesystem::remove(directory_.path() + "/proof-1.json");
  EXPECT_TRUE(proofs().records.empty());
}

TEST_F(RecordsIn, HalfARecordIsNone) {
  const std::string whole = kDrill;
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    directory_.write("drill-1.json", whole.substr(0, size));
    const auto found = drills();
    EXPECT_TRUE(found.records.empty()) << size;
    EXPECT_EQ(found.unusable.size(), 1U);
  }
}

}  // namespace
}  // namespace pg_integrity::test::drill_records_test
