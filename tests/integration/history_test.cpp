// The history of verdicts in the real program: what it keeps over restarts, and what an auditor can
// prove with it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/cluster.h"
#include "tests/support/exporter.h"
#include "tests/support/observer.h"
#include "tests/support/paths.h"
#include "tests/support/temporary.h"
#include "tests/support/wait.h"
#include "tests/support/wire.h"

namespace pg_integrity::test::history_test {
namespace {

constexpr const char* kOrphan = "orphans/public.child.child_parent_fkey";

class HistoryOfProgram : public ::testing::Test {
 protected:
  HistoryOfProgram() {
    database_.run(
        "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, parent "
        "int REFERENCES parent); INSERT INTO parent VALUES (1)");
    exporter_.emplace(
        one_server(database_.dsn(), "[server.collectors.orphans]\ninterval = \"1s\"\n"));
    exporter_->wait_until_ready();
  }
  [[nodiscard]] nlohmann::json report() const {
    return nlohmann::json::parse(fetch(exporter_->port(), "/report.json").body);
  }
  /// Whether the report tells of that change of the key.
  [[nodiscard]] bool tells(const std::string& from, const std::string& to) const {
    const nlohmann::json made = report();
    for (const auto& change : made["servers"][0]["changes"])
      if (change["subject"] == kOrphan && change["from"] == from && change["to"] == to) return true;
    return false;
  }
  void break_it() {
    database_.run("SET session_replication_role = replica; INSERT INTO child VALUES (2, 2)");
    EXPECT_TRUE(eventually([&] { return tells("proven", "violated"); })) << report().dump(1);
  }
  void mend_it() {
    database_.run("DELETE FROM child WHERE id = 2");
    EXPECT_TRUE(eventually([&] { return tells("violated", "proven"); })) << report().dump(1);
  }
  [[nodiscard]] Finished command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {program(), "--config", exporter_->config_path()});
    return run(arguments);
  }
  /// What an auditor files with a report: the number and the hash of the newest line.
  struct Filed {
    std::string number;
    std::string hash;
  };
  [[nodiscard]] Filed filed() const {
    const nlohmann::json history = report()["history"];
    return {std::to_string(history["number"].get<int>()),
            history["sha256"].is_null() ? "" : history["sha256"].get<std::string>()};
  }

  Database database_;
  std::optional<ExporterProcess> exporter_;
  TemporaryDirectory directory_;
};

TEST_F(HistoryOfProgram, ARestartKeepsItAndARemovedLineDoesNotFitTheFiledHash) {
  break_it();
  mend_it();
  EXPECT_EQ(exporter_->stop(), 0);
  exporter_->start();
  ASSERT_TRUE(tells("proven", "violated")) << "after the restart";
  const Filed last_week = filed();
  ASSERT_EQ(last_week.hash.size(), 64U);
  EXPECT_EQ(exporter_->stop(), 0);
  exporter_->start();

  const Finished exported = command({"history", "export"});
  ASSERT_EQ(exported.status, 0) << exported.err;
  const std::string path = directory_.write("history.jsonl", exported.out);
  const std::vector<std::string> verify{"history",  "verify",        path, "--hash", last_week.hash,
                                        "--number", last_week.number};
  const Finished good = command(verify);
  EXPECT_EQ(good.status, 0) << good.out << good.err;

  // By hand, as the README says.
  const Finished by_hand =
      run({"sh", "-c",
           "head -n " + last_week.number + " " + path + " | tail -n 1 | head -c -1 | sha256sum"});
  EXPECT_EQ(by_hand.out.substr(0, 64), last_week.hash);

  const std::size_t at = exported.out.find(kOrphan);
  const std::size_t begin = exported.out.rfind('\n', at) + 1;
  std::string removed = exported.out;
  removed.erase(begin, exported.out.find('\n', at) - begin + 1);
  directory_.write("history.jsonl", removed);
  const Finished bad = command(verify);
  EXPECT_EQ(bad.status, 1) << bad.out;
  EXPECT_NE(bad.out.find("does not fit the line before"), std::string::npos) << bad.out;

  const Finished misspelt = command({"history", "verify", path, "--hash", "abc"});
  EXPECT_EQ(misspelt.status, 3);
  EXPECT_NE(misspelt.err.find("64 digits"), std::string::npos) << misspelt.err;
}

TEST_F(HistoryOfProgram, TheNewestHashIsInTheLogAndOnEveryReport) {
  break_it();
  EXPECT_EQ(exporter_->stop(), 0);
  const std::string first_log = exporter_->log();
  exporter_->start();
  const Filed newest = filed();
  EXPECT_NE(first_log.find(newest.hash), std::string::npos) << first_log;
  const int port = exporter_->port();
  const std::string words = "line " + newest.number + ", SHA-256 " + newest.hash;
  EXPECT_NE(fetch(port, "/").body.find(words), std::string::npos);
  EXPECT_NE(fetch(port, "/report.md").body.find(words), std::string::npos);
  EXPECT_NE(command({"check", "--recorded"}).out.find("History: line "), std::string::npos);
}

TEST_F(HistoryOfProgram, TheWeekSaysWhatWasProvenAndWhoAcceptedWhat) {
  break_it();
  ASSERT_TRUE(eventually([&] {
    return command(
               {"accept", kOrphan, "--reason", "mended with release 12", "--by", "jane", "--now"})
               .status == 0;
  }));
  EXPECT_TRUE(eventually([&] { return tells("violated", "accepted"); })) << report().dump(1);
  EXPECT_EQ(exporter_->stop(), 0);  // saves
  exporter_->start();
  const std::string file = directory_.path() + "/week.jsonl";
  const Finished week = command({"report", "--since", "7d", "--export", file});
  ASSERT_EQ(week.status, 0) << week.err;
  for (const char* part : {"- in force: orphans/public.child.child", "by jane: mended with release",
                           "proven, then violated: 1 row", "| database | question | now | since |",
                           "Foreign key integrity (`orphans`)", "The history begins later, at "})
    EXPECT_NE(week.out.find(part), std::string::npos) << part << "\n" << week.out;
  EXPECT_EQ(run({"cat", file}).out, command({"history", "export"}).out);
  EXPECT_EQ(command({"report", "--since", "soon"}).status, 3);
}

TEST(HistoryCommands, WithoutARecordThereIsNothingToReport) {
  const TemporaryDirectory directory;
  const std::string config = directory.write(
      "config.toml", "state_dir = \"" + directory.path() + "\"\n" + one_server("dbname=none"));
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {program(), "--config", config, "report"},
           {program(), "--config", config, "history", "export"}}) {
    const Finished nothing = run(arguments);
    EXPECT_EQ(nothing.status, 3);
    EXPECT_NE(nothing.err.find("nothing on record"), std::string::npos) << nothing.err;
  }
}

}  // namespace
}  // namespace pg_integrity::test::history_test
