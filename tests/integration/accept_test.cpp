// Acknowledging: what `accept` prints, what the running exporter takes from accept.d and by its
// socket, and what becomes of it.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "tests/support/cluster.h"
#include "tests/support/content.h"
#include "tests/support/exporter.h"
#include "tests/support/observer.h"
#include "tests/support/paths.h"
#include "tests/support/wait.h"
#include "tests/support/wire.h"

namespace pg_integrity::test::accept_test {
namespace {

constexpr const char* kOrphan = "orphans/public.child.child_parent_fkey";

/// A database with one orphan, and an exporter that has found it.
class Accept : public ::testing::Test {
 protected:
  Accept() {
    plant();
    exporter_.emplace(one_server(database_.dsn(),
                                 "[server.collectors.orphans]\ninterval = \"1s\"\n"
                                 "[server.collectors.inventory]\ninterval = \"1s\""
                                 "\nlearn_after = \"1s\"\n"));
    EXPECT_TRUE(orphans_are("violated"));
  }

  void plant() {
    database_.run(
        "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, parent "
        "int REFERENCES parent); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1); "
        "CREATE TABLE ledger (id int PRIMARY KEY); INSERT INTO ledger VALUES (1); "
        "SET session_replication_role = replica; INSERT INTO child VALUES (2, 2)");
  }
  [[nodiscard]] bool orphans_are(const std::string& state, double number = 1) const {
    return exporter_->shows("pg_integrity_objects", {{"collector", "orphans"}, {"state", state}},
                            number);
  }
  /// Runs the command once the exporter has saved what it found.
  [[nodiscard]] Finished accept(std::vector<std::string> arguments) const {
    std::vector<std::string> command{program(), "--config", exporter_->config_path(), "accept"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    Finished finished;
    EXPECT_TRUE(eventually([&] {
      finished = run(command);
      return finished.err.find("no evidence on record") == std::string::npos &&
             finished.err.find("is nothing on record") == std::string::npos &&
             finished.err.find("nothing is gone") == std::string::npos;
    })) << finished.err;
    return finished;
  }
  [[nodiscard]] std::string accept_dir() const {
    return std::filesystem::path(exporter_->config_path()).parent_path() / "accept.d";
  }
  void save(const std::string& toml) const {
    std::filesystem::create_directory(accept_dir());
    std::ofstream(accept_dir() + "/known.toml") << toml;
  }
  /// Whether the tables are remembered for longer than `learn_after`.
  [[nodiscard]] bool is_learned() const {
    const auto since = exporter_->value("pg_integrity_memory_since_timestamp_seconds");
    const auto seen = exporter_->value("pg_integrity_collector_last_success_timestamp_seconds",
                                       {{"collector", "inventory"}});
    return since && seen && *seen > *since + 2;
  }
  void reload() { exporter_->process().signal(SIGHUP); }
  [[nodiscard]] std::string report() const { return fetch(exporter_->port(), "/report.json").body; }

  Database database_;
  std::optional<ExporterProcess> exporter_;
};

TEST_F(Accept, PrintsWhatTheDirectoryTakesAndTheExporterReadsIt) {
  const Finished printed = accept({kOrphan, "--reason", "mended next week", "--by", "jane"});
  ASSERT_EQ(printed.status, 0) << printed.err;
  EXPECT_NE(printed.out.find("at_most = 1"), std::string::npos) << printed.out;
  save(printed.out);
  EXPECT_TRUE(orphans_are("accepted")) << exporter_->log();
  const PageText page = exporter_->page();
  const LabelSet object{{"collector", "orphans"}, {"object", kOrphan}};
  EXPECT_GT(page.value("pg_integrity_accepted_until_timestamp_seconds", object).value_or(0), 1.7e9);
  EXPECT_EQ(page.value("pg_integrity_orphaned_rows_accepted", {{"table", "child"}}), 1);
  EXPECT_EQ(fetch(exporter_->port(), "/metrics").body.find("jane"), std::string::npos);
  EXPECT_NE(report().find("by jane: mended next week"), std::string::npos);
  // One row more is more than was accepted.
  database_.run("SET session_replication_role = replica; INSERT INTO child VALUES (3, 3)");
  EXPECT_TRUE(orphans_are("violated"));
  std::filesystem::remove(accept_dir() + "/known.toml");
  reload();
  EXPECT_TRUE(exporter_->withdraws("pg_integrity_accepted_until_timestamp_seconds", object));
}

TEST_F(Accept, AFileWithAFaultChangesNothingAndIsTold) {
  save("[[accept]]\nobject = \"orphans/public.child\"\n");
  reload();
  EXPECT_TRUE(exporter_->shows("pg_integrity_config_last_reload_successful", {}, 0));
  EXPECT_TRUE(orphans_are("violated"));
  EXPECT_NE(exporter_->log().find("known.toml"), std::string::npos);
  save("");
  reload();
  EXPECT_TRUE(exporter_->shows("pg_integrity_config_last_reload_successful", {}, 1));
}

TEST_F(Accept, NowTellsTheRunningExporterWhichRemembersIt) {
  const Finished told = accept({kOrphan, "--reason", "known", "--now"});
  ASSERT_EQ(told.status, 0) << told.err;
  EXPECT_NE(told.out.find("No second exporter knows of it"), std::string::npos) << told.out;
  EXPECT_TRUE(orphans_are("accepted"));
  EXPECT_EQ(exporter_->stop(), 0);
  exporter_->start();
  EXPECT_TRUE(orphans_are("accepted"));
  EXPECT_TRUE(orphans_are("violated", 0));
  const Finished checked =
      run({program(), "--config", exporter_->config_path(), "check", "--recorded"});
  EXPECT_EQ(checked.out.find("VIOLATED"), std::string::npos) << checked.out;
  EXPECT_EQ(exporter_->stop(), 0);
  const Finished untold = accept({kOrphan, "--reason", "known", "--now"});
  EXPECT_EQ(untold.status, 3);
  EXPECT_NE(untold.err.find("the running exporter cannot be told"), std::string::npos);
}

TEST_F(Accept, ChangesAreTheLossesOneByOne) {
  const auto lost_tables = [&](double number) {
    return exporter_->shows("pg_integrity_inventory_lost", {{"type", "tables"}}, number);
  };
  ASSERT_TRUE(lost_tables(0));
  ASSERT_TRUE(eventually([&] { return is_learned(); }));
  database_.run("DROP TABLE ledger");
  reload();  // the catalog is read anew
  ASSERT_TRUE(lost_tables(1)) << exporter_->log();
  const Finished told = accept({"--changes", "--reason", "moved to the archive", "--now"});
  ASSERT_EQ(told.status, 0) << told.err;
  EXPECT_TRUE(lost_tables(0));
  EXPECT_TRUE(orphans_are("violated"));
}

TEST_F(Accept, RefusesWhatIsNotThereWithAHint) {
  ASSERT_EQ(accept({kOrphan, "--reason", "x"}).status, 0);
  const auto refusal = [&](std::vector<std::string> arguments) {
    std::vector<std::string> command{program(), "--config", exporter_->config_path(), "accept"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const Finished finished = run(command);
    EXPECT_EQ(finished.status, 3) << finished.out;
    EXPECT_EQ(finished.out, "");
    EXPECT_NE(finished.err.find("HINT: "), std::string::npos) << finished.err;
    return finished.err;
  };
  EXPECT_NE(refusal({"orphans/public.child.other", "--reason", "x"}).find(kOrphan),
            std::string::npos);
  refusal({"row_counts/public.child", "--reason", "x"});  // it is not violated
  refusal({kOrphan, "--reason", "x", "--until", "2020-01-01"});
  refusal({kOrphan, "--reason", "x", "--until", "soon"});
  refusal({kOrphan, "--changes", "--reason", "x"});
  refusal({"--reason", "x"});
  refusal({kOrphan});
}

}  // namespace
}  // namespace pg_integrity::test::accept_test
