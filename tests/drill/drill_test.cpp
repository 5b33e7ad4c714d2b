// Restore drills by the real program, of dumps that the real pg_dump took.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include "collectors/base/instant.h"
#include "collectors/recovery/drill_records.h"
#include "exporter/commands/drill.h"
#include "exporter/drill/run.h"
#include "tests/drill/drilled.h"
#include "tests/support/content.h"
#include "tests/support/demo.h"
#include "tests/support/paths.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::drill_test {
namespace {

namespace fs = std::filesystem;

using ::testing::Test;

class DrillOf : public Test, public Drilled {
 protected:
  void TearDown() override { EXPECT_EQ(leftovers(), std::vector<std::string>()); }

  void expect_failure(const std::string& what) {
    const Finished finished = drill();
    EXPECT_EQ(finished.status, 1) << finished.err;
    const DrillRecord drilled = only_drill();
    EXPECT_EQ(drilled.outcome, DrillOutcome::failed);
    EXPECT_NE(reasons_of(drilled).find(what), std::string::npos) << reasons_of(drilled);
    ASSERT_EQ(proofs().size(), 1U);
    EXPECT_TRUE(proofs().front().disproved());
  }
};

TEST_F(DrillOf, ARecordedDumpIsProvenRowByRowInEveryForm) {
  fill();
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{}, {"--format", "directory", "--jobs", "2"}}) {
    record("a.dump", options);
    const Finished finished = drill({"--jobs", "2"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    const DrillRecord drilled = drills().back();
    EXPECT_EQ(drilled.outcome, DrillOutcome::success) << reasons_of(drilled);
    ASSERT_EQ(drilled.tables.size(), 2U);
    EXPECT_EQ(drilled.tables[0].rows, 500);
    EXPECT_EQ(drilled.tables[0].unexplained_rows, 0);
    EXPECT_EQ(drilled.tables[0].orphaned_rows, 0);
    EXPECT_GT(drilled.duration, Seconds(0));
    EXPECT_NEAR(drilled.backup_time, drilled.started, 60);
    EXPECT_EQ(proofs().at(0).level, ProofLevel::compared);
    fs::remove_all(path("a.dump"));
  }
}

TEST_F(DrillOf, TheDemoIsProvenInOneCommand) {
  database.run_file(source_path("deploy/demo/database.sql"));
  record("demo.dump");
  const Finished finished = drill();
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(only_drill().tables.size(), 15U);
}

TEST_F(DrillOf, RowsWrittenAfterTheDumpChangeNothing) {
  fill();
  record("a.dump");
  database.run("DELETE FROM child; INSERT INTO parent VALUES (1000, 'new')");
  EXPECT_EQ(drill().status, 0);
}

TEST_F(DrillOf, PlantedOrphansFailNamingTheConstraint) {
  fill();
  database.run(
      "SET session_replication_role = replica; INSERT INTO child VALUES (1000, 77777, '')");
  record("a.dump");
  expect_failure("\"child_parent_fkey\"");
  EXPECT_NE(reasons_of(only_drill()).find("missing in the copy: FK CONSTRAINT public child"),
            std::string::npos);
  EXPECT_EQ(reasons_of(only_drill()).find("77777"), std::string::npos) << "no row values";
}

TEST_F(DrillOf, OrphansUnderAKeyThatIsNotValidFailNamingIt) {
  fill();
  database.run(
      "ALTER TABLE child DROP CONSTRAINT child_parent_fkey; INSERT INTO child VALUES (1000, 77777, "
      "''); ALTER TABLE child ADD CONSTRAINT child_late_fkey FOREIGN KEY (parent_id) REFERENCES "
      "parent NOT VALID");
  record("a.dump");
  expect_failure("the copy is not intact: orphans/public.child.child_late_fkey");
  EXPECT_EQ(only_drill().tables.at(0).orphaned_rows, 1);
}

/// A dump with an orphan under a key that is NOT VALID.
class DrillOfAnOrphan : public DrillOf {
 protected:
  void SetUp() override {
    fill();
    database.run(
        "ALTER TABLE child DROP CONSTRAINT child_parent_fkey; INSERT INTO child VALUES (1000, "
        "77777, ''); ALTER TABLE child ADD CONSTRAINT child_late_fkey FOREIGN KEY (parent_id) "
        "REFERENCES parent NOT VALID");
    record("a.dump");
  }
};

TEST_F(DrillOfAnOrphan, FailsAlthoughProductionDoesNotWatchForOrphans) {
  configure("[server.collectors.orphans]\nenabled = false\n");
  expect_failure("the copy is not intact: orphans/public.child.child_late_fkey");
}

TEST_F(DrillOfAnOrphan, FailsAlthoughProductionExcludesItsTable) {
  configure({}, "exclude = [\"public.child\"]\n");
  expect_failure("the copy is not intact: orphans/public.child.child_late_fkey");
}

TEST_F(DrillOfAnOrphan, FailsAlthoughNobodyReadsDrills) {
  configure("[server.collectors.restore_drill]\nenabled = false\n");
  expect_failure("the copy is not intact: orphans/public.child.child_late_fkey");
}

TEST_F(DrillOf, DuplicatesOfAConfiguredKeyFailHoweverLargeTheirTable) {
  fill();
  database.run("UPDATE child SET note = 'twice' WHERE id IN (1, 2)");
  record("a.dump");
  configure(
      "[server.collectors.duplicates]\nexact_up_to = \"1kB\"\n"
      "[[server.collectors.duplicates.keys]]\nname = \"notes\"\ndatabase = \"" +
      database.name() + "\"\ntable = \"child\"\ncolumns = [\"note\"]\n");
  expect_failure("the copy is not intact: duplicates/public.child.notes");
}

TEST_F(DrillOf, ACheckThatCannotBeMadeLeavesItUnproven) {
  fill();
  record("a.dump");
  configure(
      "[[server.collectors.orphans.references]]\nname = \"elsewhere\"\ntable = \"child\"\n"
      "columns = [\"note\"]\nreferenced_table = \"nowhere\"\nreferenced_columns = [\"id\"]\n");
  const Finished finished = drill();
  EXPECT_EQ(finished.status, 2) << finished.err;
  EXPECT_EQ(only_drill().outcome, DrillOutcome::unproven);
  EXPECT_NE(reasons_of(only_drill())
                .find("the copy could not be checked: orphans/public.child.elsewhere"),
            std::string::npos)
      << reasons_of(only_drill());
}

TEST_F(DrillOf, OrphansThatAPlainDumpBringsPastItsKeyFailNamingIt) {
  std::ofstream(path("a.dump"))
      << "-- PostgreSQL database dump\n"
         "CREATE TABLE parent (id int PRIMARY KEY, created_at timestamptz DEFAULT now());\n"
         "CREATE TABLE child (id int PRIMARY KEY, parent_id int CONSTRAINT child_parent_fkey "
         "REFERENCES parent);\n"
         "SET session_replication_role = replica;\n"
         "INSERT INTO child VALUES (1, 77777);\n"
         "-- PostgreSQL database dump complete\n";
  database.run("CREATE TABLE parent (id int, created_at timestamptz)");
  expect_failure("the copy is not intact: orphans/public.child.child_parent_fkey");
}

TEST_F(DrillOf, ARecordOfAServerThatHashesInAnotherWayIsUnproven) {
  fill();
  record("a.dump");
  const std::string file = path("a.dump.record.json");
  std::string text = content_of(file);
  text.insert(text.find("\"hash\": \"") + 9, "1");
  std::ofstream(file) << text;
  const Finished finished = drill();
  EXPECT_EQ(finished.status, 2) << finished.err;
  EXPECT_EQ(only_drill().outcome, DrillOutcome::unproven);
  EXPECT_NE(reasons_of(only_drill()).find("hashes them in another way"), std::string::npos);
}

TEST_F(DrillOf, DuplicatesUnderAUniqueKeyFailNamingIt) {
  fill();
  database.run(
      "ALTER TABLE parent ADD COLUMN code int; CREATE UNIQUE INDEX parent_code ON parent (code);"
      "UPDATE parent SET code = id; UPDATE pg_index SET indisready = false, indisvalid = false "
      "WHERE indexrelid = 'parent_code'::regclass; INSERT INTO parent VALUES (2000, '', 1);"
      "UPDATE pg_index SET indisready = true, indisvalid = true "
      "WHERE indexrelid = 'parent_code'::regclass");
  record("a.dump");
  expect_failure("\"parent_code\"");
}

TEST_F(DrillOf, AnotherDumpThanTheRecordedOneFailsOrIsUnproven) {
  fill();
  record("a.dump");
  // The record is of this dump but holds another count, as if the dump had been changed.
  const std::string file = path("a.dump.record.json");
  std::string text = content_of(file);
  text.replace(text.find("\"rows\": 500"), 11, "\"rows\": 499");
  std::ofstream(file) << text;
  expect_failure("table public.child has 500 rows, its backup's record 499");
  EXPECT_EQ(only_drill().tables.at(0).unexplained_rows, 1);
}

TEST_F(DrillOf, OtherContentInAsManyRowsFails) {
  fill();
  record("a.dump");
  const std::string file = path("a.dump.record.json");
  std::string text = content_of(file);
  text.insert(text.find("\"content\": \"") + 12, "1");
  std::ofstream(file) << text;
  expect_failure("table public.child holds other rows than its backup's record");
}

TEST_F(DrillOf, DamagedArchivesFail) {
  fill();
  const auto damage = [&](const char* name, const std::function<void(const std::string&)>& harm) {
    SCOPED_TRACE(name);
    record(name);
    harm(path(name));
    const Finished finished = drill();
    EXPECT_EQ(finished.status, 1) << finished.err;
    EXPECT_EQ(drills().back().outcome, DrillOutcome::failed) << finished.err;
    fs::remove(path(name));
  };
  damage("half.dump", halve);
  damage("tail.dump", [](const std::string& file) { truncate_by(file, 20); });
  damage("flipped.dump", [](const std::string& file) { flip_bit(file, 0.6); });
}

TEST_F(DrillOf, AFlippedBitInAnUncompressedDumpIsFoundByComparing) {
  fill();
  dump("a.dump", {"-Fc", "-Z0"});
  record("b.dump");
  const Finished listed = run({Cluster::programs() + "/pg_restore", "-l", path("a.dump")});
  fs::rename(path("b.dump.record.json"), path("a.dump.record.json"));
  fs::remove(path("b.dump"));
  std::string bytes = content_of(path("a.dump"));
  bytes[bytes.find("parent 50") + 7] = '6';
  std::ofstream(path("a.dump"), std::ios::binary) << bytes;
  std::string text = content_of(path("a.dump.record.json"));
  const std::string created = listed.out.substr(listed.out.find("created at ") + 11, 23);
  text.replace(text.find("\"created\": \"") + 12, 23, created);
  std::ofstream(path("a.dump.record.json")) << text;
  expect_failure("table public.parent holds other rows");
}

TEST_F(DrillOf, PlainDumpsAreRestoredCompressedOrNotAndTheirEndIsMissed) {
  fill();
  database.run(
      "ALTER TABLE parent ADD COLUMN created_at timestamptz DEFAULT now() - interval '1d'");
  dump("a.dump", {"-Fp"});
  EXPECT_EQ(drill().status, 0);
  EXPECT_EQ(run({"gzip", path("a.dump")}).status, 0);
  fs::rename(path("a.dump.gz"), path("b.dump"));
  EXPECT_EQ(drill().status, 0);
  EXPECT_EQ(drills().back().tables.at(1).unexplained_rows, 0);
  EXPECT_FALSE(drills().back().tables.at(0).unexplained_rows) << "child says nothing of creation";
  truncate_by(path("b.dump"), 20);
  EXPECT_EQ(drill().status, 1);
}

TEST_F(DrillOf, WithoutARecordRowsThatTheCopyLacksAreFound) {
  fill();
  database.run(
      "ALTER TABLE parent ADD COLUMN created_at timestamptz DEFAULT now() - interval '1d'");
  dump("a.dump");
  database.run("INSERT INTO parent VALUES (2000, 'written back in time')");
  expect_failure("table public.parent lacks 1 rows that were created before the backup");
}

TEST_F(DrillOf, ADumpOfNothingProvesNothing) {
  dump("a.dump");
  expect_failure("no table could be proven");
}

TEST_F(DrillOf, AMissingRoleIsUnprovenAndNamed) {
  fill();
  database.run("CREATE ROLE drill_reader; CREATE POLICY p ON parent TO drill_reader USING (true)");
  record("a.dump");
  const Finished finished = drill();
  database.run("DROP POLICY p ON parent; DROP ROLE drill_reader");
  EXPECT_EQ(finished.status, 2) << finished.err;
  EXPECT_EQ(only_drill().outcome, DrillOutcome::unproven);
  EXPECT_EQ(reasons_of(only_drill()), "role \"drill_reader\" does not exist\n");
  EXPECT_TRUE(proofs().empty()) << "nothing is known of the backup";
}

TEST_F(DrillOf, AMissingExtensionIsUnprovenAndNamed) {
  fill();
  database.run(
      "ALTER TABLE parent ADD COLUMN created_at timestamptz DEFAULT now() - interval '1d'");
  database.run(
      "CREATE EXTENSION pg_trgm; CREATE INDEX fuzzy ON child USING gin (note gin_trgm_ops)");
  dump("plain.sql", {"-Fp"});
  std::string text = content_of(path("plain.sql"));
  for (std::size_t at = 0; (at = text.find("pg_trgm", at)) != std::string::npos;)
    text.replace(at, 7, "pg_gone");
  for (std::size_t at = 0; (at = text.find("gin_trgm_ops", at)) != std::string::npos;)
    text.replace(at, 12, "gin_gone_ops");
  std::ofstream(path("a.dump")) << text;
  const Finished finished = drill();
  EXPECT_EQ(finished.status, 2) << finished.err;
  EXPECT_EQ(only_drill().outcome, DrillOutcome::unproven);
  EXPECT_NE(reasons_of(only_drill()).find("extension \"pg_gone\" is not available"),
            std::string::npos)
      << finished.err;
}

TEST_F(DrillOf, RefusesATargetThatIsNotEmptyAndTheWatchedServer) {
  fill();
  record("a.dump");
  const Finished own = drill({"--target", database.dsn()});
  EXPECT_EQ(own.status, 2);
  EXPECT_NE(own.err.find("on the watched server itself"), std::string::npos) << own.err;
  Cluster other;
  Database used(other, "used");
  used.run("CREATE TABLE something (id int)");
  const Finished refused = drill({"--target", used.dsn()});
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("is not empty"), std::string::npos) << refused.err;
  EXPECT_EQ(used.ask("SELECT count(*) FROM pg_class WHERE relname = 'child'"), "0");
  Database empty(other, "empty");
  const Finished finished = drill({"--target", empty.dsn()});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(empty.ask("SELECT count(*) FROM child"), "500");
}

TEST_F(DrillOf, NoPasswordIsInTheListOfProcesses) {
  fill();
  database.run("CREATE ROLE secretive SUPERUSER LOGIN PASSWORD 'sesame-opens'");
  records.write("exporter.toml", "[[server]]\nname = \"test\"\ndsn = \"" +
                                     database.dsn("secretive") + " password=sesame-opens\"\n");
  Process process(command({"--record", "--dump", path("a.dump")}));
  std::string seen;
  while (process.running()) seen += run({"ps", "-eo", "args"}).out;
  EXPECT_EQ(process.wait_for(std::chrono::seconds(10)), 0) << process.err();
  EXPECT_EQ(seen.find("sesame-opens"), std::string::npos);
  database.run("DROP ROLE secretive");
}

/// Interrupts drills at random moments of their whole length.
class InterruptedDrill : public DrillOf, public ::testing::WithParamInterface<int> {};

TEST_P(InterruptedDrill, LeavesNothingAfterTheNextStart) {
  fill();
  database.run(
      "INSERT INTO child SELECT i, 1, repeat('x', 500) FROM generate_series(1000, 20000) i");
  record("a.dump");
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(drill().status, 0);
  const auto whole = std::chrono::steady_clock::now() - begin;
  std::mt19937 random(std::random_device{}());
  for (int i = 0; i < 20; ++i) {
    const auto instant = whole * std::uniform_int_distribution<>(0, 1000)(random) / 1000;
    SCOPED_TRACE(std::chrono::duration<double>(instant).count());
    Process process(command());
    std::this_thread::sleep_for(instant);
    process.signal(GetParam());
    ASSERT_TRUE(process.wait_for(std::chrono::seconds(30)));
    if (GetParam() == SIGTERM) {
      ASSERT_EQ(leftovers(), std::vector<std::string>());
    }
  }
  EXPECT_EQ(drill({"--proof-only"}).status, 0);
  EXPECT_EQ(leftovers(), std::vector<std::string>());
  for (const DrillRecord& record : drills()) EXPECT_EQ(record.outcome, DrillOutcome::success);
}

INSTANTIATE_TEST_SUITE_P(By, InterruptedDrill, ::testing::Values(SIGTERM, SIGKILL));

}  // namespace
}  // namespace pg_integrity::test::drill_test
