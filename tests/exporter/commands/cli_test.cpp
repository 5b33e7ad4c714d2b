#include "exporter/commands/cli.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <nlohmann/json.hpp>

#include "exporter/io/file_digest.h"
#include "tests/support/cluster.h"
#include "tests/support/paths.h"
#include "tests/support/plain_dump.h"
#include "tests/support/process.h"
#include "tests/support/temporary.h"
#include "tests/support/wait.h"
#include "tests/support/wire.h"

namespace pg_integrity::test::cli_test {
namespace {

/// The program without the variables of the tester's own environment that it would heed.
ProcessOptions clean() {
  ProcessOptions options;
  options.without = {"DATA_SOURCE_NAME", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGSERVICE"};
  return options;
}

Finished run_program(std::vector<std::string> arguments, const ProcessOptions& options = clean()) {
  arguments.insert(arguments.begin(), program());
  return run(std::move(arguments), options);
}

std::ptrdiff_t lines(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

class CommandLine : public ::testing::Test {
 protected:
  /// A configuration file whose state is kept in the test's own directory.
  [[nodiscard]] std::string config(const Database& db, const std::string& more = {}) const {
    return directory_.write("config.toml", "state_dir = \"" + directory_.path() +
                                               "\"\n[[server]]\nname = \"test\"\ndsn = \"" +
                                               db.dsn() + "\"\nmax_load = 1\n" + more);
  }
  /// A source of backups with a fresh backup in it, so that everything can be proven.
  [[nodiscard]] std::string fresh_backup() const {
    const TemporaryDirectory& at = backups_;
    const std::string file = at.write("a.dump", plain_dump());
    at.write("a.dump.sha256", sha256_of_file(file) + "  a.dump\n");
    const timespec an_hour_ago{std::time(nullptr) - 3600, 0};
    const timespec times[2] = {an_hour_ago, an_hour_ago};
    EXPECT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
    return "[[server.backups]]\nname = \"dumps\"\ndirectory = \"" + at.path() +
           "\"\npattern = \"*.dump\"\nevery = \"24h\"\n";
  }
  static void break_a_key(const Database& db) {
    db.run(
        "CREATE TABLE parent (id int PRIMARY KEY);"
        "CREATE TABLE child (id int CONSTRAINT key REFERENCES parent);"
        "SET session_replication_role = replica; INSERT INTO child VALUES (7)");
  }

  TemporaryDirectory directory_;
  TemporaryDirectory backups_;
};

TEST_F(CommandLine, HelpAndVersionAreAnswersAndNoErrors) {
  const Finished help = run_program({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* command : {"serve", "check", "config", "catalogue", "--config", "--listen"})
    EXPECT_NE(help.out.find(command), std::string::npos) << command;
  const Finished version = run_program({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_TRUE(version.out.starts_with("pg_integrity_exporter "));
}

TEST_F(CommandLine, WhatItDoesNotKnowIsOneLineWithAHint) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--no-such"},
                                             {"chek"},
                                             {"check", "--format", "xml"},
                                             {"--log-level", "loud"},
                                             {"config"},
                                             {"catalogue", "--format", "text"},
                                             {"--config"}}) {
    const Finished refused = run_program(arguments);
    EXPECT_EQ(refused.status, 3) << arguments[0];
    EXPECT_EQ(lines(refused.err), 1) << refused.err;
    EXPECT_TRUE(refused.err.starts_with("pg_integrity_exporter: ")) << refused.err;
    EXPECT_NE(refused.err.find("HINT: "), std::string::npos) << refused.err;
    EXPECT_EQ(refused.out, "");
  }
}

TEST_F(CommandLine, AConfigurationIsCheckedWithoutADatabase) {
  const std::string good = directory_.write(
      "good.toml",
      "[[server]]\nname = \"far\"\ndsn = \"host=192.0.2.1 dbname=x sslmode=require\"\n");
  const Finished accepted = run_program({"config", "check", "--config", good});
  EXPECT_EQ(accepted.status, 0) << accepted.err;
  EXPECT_NE(accepted.out.find("server far: "), std::string::npos);
  EXPECT_NE(accepted.out.find("not watched: backups. HINT: "), std::string::npos);
}

TEST_F(CommandLine, EveryFaultOfAConfigurationIsALine) {
  const std::string bad = directory_.write("bad.toml", "lisen = \"x\"\n[[server]]\nname = 3\n");
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"config", "check"}, {"check"}, {"serve"}, {}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--config", bad});
    const Finished refused = run_program(arguments);
    EXPECT_EQ(refused.status, 3);
    EXPECT_NE(refused.err.find(bad + ":1:1: unknown key \"lisen\""), std::string::npos)
        << refused.err;
    EXPECT_NE(refused.err.find(bad + ":3:8: \"name\" should be text"), std::string::npos)
        << refused.err;
  }
  EXPECT_EQ(run_program({"check", "--config", directory_.path() + "/nowhere"}).status, 3);
}

TEST_F(CommandLine, TheCatalogueNeedsNothing) {
  const Finished markdown = run_program({"catalogue"});
  EXPECT_EQ(markdown.status, 0);
  EXPECT_TRUE(markdown.out.starts_with("### Metrics"));
  const Finished json = run_program({"catalogue", "--format", "json"});
  EXPECT_EQ(json.status, 0);
  EXPECT_TRUE(nlohmann::json::accept(json.out));
}

TEST_F(CommandLine, CheckExitsWithTheVerdict) {
  const Database db;
  db.run("CREATE TABLE t (id int PRIMARY KEY)");
  const Finished unproven = run_program({"check", "--config", config(db)});
  EXPECT_EQ(unproven.status, 2) << "nobody knows whether it could be got back\n" << unproven.out;
  EXPECT_NE(unproven.out.find("overall: UNPROVEN\nNext: "), std::string::npos);
  const std::string more = fresh_backup();
  const Finished proven = run_program({"check", "--config", config(db, more)});
  EXPECT_EQ(proven.status, 0) << proven.out;
  EXPECT_NE(proven.out.find("overall: PROVEN\nNext: let it watch"), std::string::npos);
  break_a_key(db);
  const Finished violated = run_program({"check", "--config", config(db, more)});
  EXPECT_EQ(violated.status, 1) << violated.out;
  EXPECT_NE(violated.out.find("VIOLATED orphans/public.child.key"), std::string::npos);
}

TEST_F(CommandLine, CheckOfWhatCannotBeReachedIsUnproven) {
  const Finished unproven = run_program({"check"}, [] {
    ProcessOptions options = clean();
    options.environment["DATA_SOURCE_NAME"] =
        "host=127.0.0.1 port=" + std::to_string(free_port()) + " user=x dbname=x";
    return options;
  }());
  EXPECT_EQ(unproven.status, 2);
  EXPECT_NE(unproven.out.find("OUT OF REACH"), std::string::npos) << unproven.out;
}

TEST_F(CommandLine, CheckReportsInTheFormThatIsAskedFor) {
  const Database db;
  const std::string file = config(db);
  EXPECT_TRUE(run_program({"check", "--config", file, "--format", "markdown"})
                  .out.starts_with("# Evidence of "));
  const Finished json = run_program({"check", "--config", file, "--format", "json"});
  EXPECT_EQ(nlohmann::json::parse(json.out)["overall"], "unproven");
  EXPECT_EQ(json.status, 2) << "the form changes nothing";
}

TEST_F(CommandLine, NagiosGetsTheCodesOfItsPlugins) {
  const Database db;
  break_a_key(db);
  const std::string file = config(db);
  const std::vector<std::string> nagios{"check", "--format", "nagios", "--config", file};
  const Finished recorded = run_program(nagios);
  EXPECT_EQ(recorded.status, 1) << "nothing is on record, and the database is not asked";
  EXPECT_TRUE(recorded.out.starts_with("PG_INTEGRITY WARNING - ")) << recorded.out;
  std::vector<std::string> live = nagios;
  live.emplace_back("--live");
  const Finished violated = run_program(live);
  EXPECT_EQ(violated.status, 2) << violated.out;
  EXPECT_TRUE(violated.out.starts_with("PG_INTEGRITY CRITICAL - ")) << violated.out;
  EXPECT_NE(violated.out.find("orphans/public.child.key"), std::string::npos);
  EXPECT_EQ(lines(violated.out), 1);

  db.run("DELETE FROM child");
  const std::string proven = config(db, fresh_backup());
  EXPECT_EQ(run_program({"check", "--format", "nagios", "--live", "--config", proven}).status, 0);
  const Finished refused =
      run_program({"check", "--format", "nagios", "--config", directory_.path() + "/nowhere"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_TRUE(refused.out.starts_with("PG_INTEGRITY UNKNOWN - ")) << refused.out;
  EXPECT_EQ(lines(refused.out), 1) << "Nagios does not read standard error";
}

TEST_F(CommandLine, OnlyWhatIsBadIsShownIfThatIsAskedFor) {
  const Database db;
  break_a_key(db);
  const std::string file = config(db);
  const Finished bad = run_program({"check", "--only-bad", "--config", file});
  EXPECT_EQ(bad.status, 1);
  EXPECT_NE(bad.out.find("VIOLATED orphans/public.child.key"), std::string::npos) << bad.out;
  EXPECT_EQ(bad.out.find("[PROVEN]"), std::string::npos) << bad.out;
  EXPECT_EQ(run_program({"check", "--only-bad", "--format", "markdown", "--config", file}).status,
            3)
      << "a chapter of the Markdown without its evidence would say unproven";
}

TEST_F(CommandLine, ProgressIsShownOnATerminalOnly) {
  const Database db;
  db.run("CREATE TABLE t (id int PRIMARY KEY)");
  const std::string file = config(db,
                                  "[[server.collectors.query_latency.queries]]\nname = \"slow\"\n"
                                  "sql = \"SELECT pg_sleep(3)\"\nobjective = \"9s\"\n");
  EXPECT_EQ(run_program({"check", "--config", file}).err.find("collectors done"),
            std::string::npos);
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child == 0) {
    ::execl(program().c_str(), program().c_str(), "check", "--config", file.c_str(), nullptr);
    ::_exit(127);
  }
  std::string seen;
  std::array<char, 4096> chunk{};
  for (ssize_t got = 0; (got = ::read(terminal, chunk.data(), chunk.size())) > 0;)
    seen.append(chunk.data(), static_cast<std::size_t>(got));
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(terminal);
  EXPECT_NE(seen.find(" collectors done"), std::string::npos) << seen;
  EXPECT_NE(seen.find("\r\x1b[KEvidence of "), std::string::npos)
      << "the line is cleared before the report: " << seen;
}

TEST_F(CommandLine, ServeServesUntilItIsAskedToEndAndCheckFindsItsRecord) {
  const Database db;
  break_a_key(db);
  const int port = free_port();
  const std::string file = config(db);
  Process serving({program(), "--config", file, "--listen", "127.0.0.1:" + std::to_string(port)},
                  clean());
  const auto ready = [&] {
    try {
      return fetch(port, "/-/ready").status == 200;
    } catch (const std::runtime_error&) {
      return false;
    }
  };
  ASSERT_TRUE(eventually(ready)) << serving.err();
  EXPECT_NE(fetch(port, "/metrics").body.find("pg_integrity_orphaned_rows{"), std::string::npos);
  EXPECT_NE(fetch(port, "/").body.find("orphans/public.child.key"), std::string::npos);

  const TemporaryDirectory elsewhere;
  const std::string other = elsewhere.write(
      "other.toml", "state_dir = \"" + elsewhere.path() + "\"\n" + one_server(db.dsn()));
  const Finished second =
      run_program({"--config", other, "--listen", "127.0.0.1:" + std::to_string(port)});
  EXPECT_EQ(second.status, 1);
  EXPECT_NE(second.err.find("cannot listen on 127.0.0.1:" + std::to_string(port)),
            std::string::npos)
      << second.err;

  serving.signal(SIGTERM);
  ASSERT_TRUE(serving.wait_for(std::chrono::seconds(30))) << "SIGTERM ends it";
  EXPECT_EQ(serving.wait_for(std::chrono::seconds(0)), 0);

  db.run("DROP TABLE child");
  const Finished recorded = run_program({"check", "--recorded", "--config", file});
  EXPECT_EQ(recorded.status, 1) << "the database was not asked again\n" << recorded.out;
  EXPECT_NE(recorded.out.find("VIOLATED orphans/public.child.key"), std::string::npos);
}

TEST_F(CommandLine, AnAddressThatIsNoneIsRefused) {
  const Database db;
  const Finished refused = run_program({"serve", "--config", config(db), "--listen", "nonsense"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_NE(refused.err.find("--listen: \"nonsense\""), std::string::npos) << refused.err;
}

}  // namespace
}  // namespace pg_integrity::test::cli_test
