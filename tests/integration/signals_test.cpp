// SIGTERM, SIGINT and SIGHUP, at awkward moments.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "exporter/io/child_process.h"
#include "tests/support/cluster.h"
#include "tests/support/exporter.h"
#include "tests/support/observer.h"
#include "tests/support/paths.h"
#include "tests/support/wait.h"
#include "tests/support/wire.h"

namespace pg_integrity::test::signals_test {
namespace {

constexpr const char* kSlowQuery =
    "[[server.collectors.query_latency.queries]]\nname = \"slow\"\nsql = \"SELECT "
    "pg_sleep(600)\"\nobjective = \"1s\"\n[server.collectors.query_latency]\ndeadline = "
    "\"10m\"\n";

/// The number of probes that are asleep in the database.
std::string sleeping(const Database& database) {
  return database.ask(
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = "
      "current_database()");
}

TEST(Signals, TerminationCancelsARunningQueryAndEndsWithSuccess) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const Database database;
    ExporterProcess exporter(one_server(database.dsn(), kSlowQuery));
    ASSERT_TRUE(eventually([&] { return sleeping(database) == "1"; })) << exporter.log();
    exporter.process().signal(signal);
    EXPECT_EQ(exporter.process().wait_for(std::chrono::seconds(5)), 0) << exporter.log();
    EXPECT_TRUE(eventually([&] { return sleeping(database) == "0"; }));
  }
}

TEST(Signals, AProgramThatIsAskedEndsWithTheExporter) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    const Database database;
    const TemporaryDirectory directory;
    const std::string program = directory.write(
        "hangs", "#!/bin/sh\necho $$ > " + directory.path() + "/new && mv " + directory.path() +
                     "/new " + directory.path() + "/pid\nexec sleep 1000\n");
    ::chmod(program.c_str(), 0755);
    ExporterProcess exporter(one_server(database.dsn(),
                                        "[[server.backups]]\nname = \"repository\"\npgbackrest = { "
                                        "command = [\"" +
                                            program +
                                            "\"], timeout = \"10m\" }\n"
                                            "[server.collectors.backups]\ndeadline = \"10m\"\n"));
    pid_t asked = 0;
    ASSERT_TRUE(eventually([&] { return bool(std::ifstream(directory.path() + "/pid") >> asked); }))
        << exporter.log();
    ASSERT_TRUE(start_of_process(asked));
    exporter.process().signal(signal);
    EXPECT_EQ(exporter.process().wait_for(std::chrono::seconds(5)),
              signal == SIGTERM ? 0 : 128 + SIGKILL)
        << exporter.log();
    EXPECT_TRUE(eventually([&] { return !start_of_process(asked); }));
  }
}

TEST(Signals, CheckEndsEarlyToo) {
  const Database database;
  const TemporaryDirectory directory;
  const std::string config =
      directory.write("slow.toml", "state_dir = \"" + directory.path() + "\"\n" +
                                       one_server(database.dsn(), kSlowQuery));
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    Process check({program(), "check", "--config", config});
    ASSERT_TRUE(eventually([&] { return sleeping(database) == "1"; })) << check.err();
    check.signal(signal);
    EXPECT_EQ(check.wait_for(std::chrono::seconds(5)), 128 + signal)
        << "no verdict: " << check.err();
    EXPECT_EQ(check.out(), "");
    EXPECT_TRUE(eventually([&] { return sleeping(database) == "0"; }));
  }
}

TEST(Signals, HangUpPutsANewConfigurationIntoForceAndKeepsTheEvidence) {
  const Database database;
  database.run("CREATE TABLE one (id int PRIMARY KEY); CREATE TABLE two (id int PRIMARY KEY)");
  ExporterProcess exporter(one_server(database.dsn()));
  exporter.wait_until_ready();
  ASSERT_TRUE(exporter.shows("pg_integrity_table_rows", {{"table", "one"}}, 0));
  exporter.rewrite_configuration(one_server(database.dsn(), "exclude = [\"public.one\"]\n"));
  exporter.process().signal(SIGHUP);
  EXPECT_TRUE(exporter.withdraws("pg_integrity_table_rows", {{"table", "one"}}));
  EXPECT_TRUE(exporter.shows("pg_integrity_table_rows", {{"table", "two"}}, 0));
  EXPECT_EQ(exporter.value("pg_integrity_config_last_reload_successful"), 1);
}

TEST(Signals, HangUpWithABadConfigurationChangesNothingButSaysSo) {
  const Database database;
  database.run("CREATE TABLE one (id int PRIMARY KEY)");
  ExporterProcess exporter(one_server(database.dsn()));
  exporter.wait_until_ready();
  ASSERT_TRUE(exporter.shows("pg_integrity_table_rows", {{"table", "one"}}, 0));
  exporter.rewrite_configuration("[[sever]]\n");
  exporter.process().signal(SIGHUP);
  EXPECT_TRUE(exporter.shows("pg_integrity_config_last_reload_successful", {}, 0));
  EXPECT_EQ(exporter.value("pg_integrity_table_rows", {{"table", "one"}}), 0);
  EXPECT_NE(exporter.log().find("sever"), std::string::npos);
  exporter.rewrite_configuration(one_server(database.dsn()));
  exporter.process().signal(SIGHUP);
  EXPECT_TRUE(exporter.shows("pg_integrity_config_last_reload_successful", {}, 1));
}

TEST(Signals, AHundredHangUpsLeaveOneExporterWithTwoSessions) {
  const Database database;
  database.run("CREATE TABLE one (id int PRIMARY KEY)");
  ExporterProcess exporter(one_server(database.dsn()));
  exporter.wait_until_ready();
  Client observer(database.cluster().dsn("postgres"));
  int most = 0;
  for (int i = 0; i < 100; ++i) {
    exporter.process().signal(SIGHUP);
    most = std::max(most, std::stoi(observer.ask("SELECT count(*) FROM pg_stat_activity WHERE "
                                                 "datname = '" +
                                                 database.name() + "'")));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_LE(most, 2);
  EXPECT_TRUE(exporter.shows("pg_integrity_table_rows", {{"table", "one"}}, 0));
  EXPECT_EQ(exporter.stop(), 0) << exporter.log();
}

TEST(Signals, ReloadByHttpIsThereOnlyIfConfigured) {
  const Database database;
  ExporterProcess without(one_server(database.dsn()));
  EXPECT_EQ(fetch(without.port(), "/-/reload", {}, "POST").status, 405);
  ExporterProcess with("reload_by_http = true\n" + one_server(database.dsn()));
  EXPECT_EQ(fetch(with.port(), "/-/reload", {}, "POST").status, 200);
  with.rewrite_configuration("bad");
  EXPECT_EQ(fetch(with.port(), "/-/reload", {}, "POST").status, 500);
}

}  // namespace
}  // namespace pg_integrity::test::signals_test
