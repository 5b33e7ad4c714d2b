// Mistakes of a user, and the one clear line that names each. No line holds a password.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "collectors/base/errors.h"
#include "exporter/report/report.h"
#include "tests/support/cluster.h"
#include "tests/support/content.h"
#include "tests/support/exporter.h"
#include "tests/support/observer.h"
#include "tests/support/paths.h"
#include "tests/support/temporary.h"
#include "tests/support/wire.h"

namespace pg_integrity::test::bad_input_test {
namespace {

constexpr const char* kSecret = "cOrrect-horse";

ProcessOptions with_dsn(const std::string& dsn) {
  return {{{"DATA_SOURCE_NAME", dsn}}, {"PGHOST", "PGPORT", "PGUSER", "PGDATABASE"}, false};
}

long lines_of(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

TEST(BadInput, ADsnThatIsNoneIsRefusedInOneLine) {
  const std::string dsn = std::string("host=127.0.0.1 pasword=") + kSecret;
  const Finished finished = run({program()}, with_dsn(dsn));
  EXPECT_EQ(finished.status, 3);
  EXPECT_EQ(lines_of(finished.err), 1) << finished.err;
  EXPECT_NE(finished.err.find("DATA_SOURCE_NAME"), std::string::npos) << finished.err;
  EXPECT_NE(finished.err.find("HINT: "), std::string::npos) << finished.err;
  EXPECT_EQ(finished.err.find(kSecret), std::string::npos) << finished.err;
}

TEST(BadInput, AServerThatDoesNotAnswerIsNamedInOneLine) {
  const std::string dsn =
      "host=127.0.0.1 dbname=x connect_timeout=2 user=u password=" + std::string(kSecret) +
      " port=" + std::to_string(free_port());
  const Finished finished = run({program(), "check"}, with_dsn(dsn));
  EXPECT_EQ(finished.status, 2);  // nothing is proven
  EXPECT_NE(finished.out.find("connect"), std::string::npos) << finished.out;
  EXPECT_EQ(lines_of(finished.err), 1) << finished.err;
  EXPECT_EQ((finished.out + finished.err).find(kSecret), std::string::npos);
}

TEST(BadInput, AWrongPasswordIsAnAuthFailureAndIsShownNowhere) {
  Cluster cluster;
  Client(cluster.dsn("postgres")).run("CREATE ROLE guarded LOGIN PASSWORD 'another'");
  {
    std::ofstream hba(cluster.data_directory() + "/pg_hba.conf");
    hba << "host all guarded 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n";
  }
  Client(cluster.dsn("postgres")).run("SELECT pg_reload_conf()");
  const std::string dsn = cluster.dsn("postgres", "guarded") + " password=" + kSecret;
  ExporterProcess exporter(one_server(dsn));
  exporter.wait_until_ready();
  const LabelSet auth{{"collector", "row_counts"}, {"reason", "auth"}};
  EXPECT_GE(exporter.value("pg_integrity_collector_failures_total", auth).value_or(0), 1);
  std::string everything = exporter.log();
  for (const char* path : {"/", "/metrics", "/report.md", "/report.json"})
    everything += fetch(exporter.port(), path).body;
  everything += content_of("/proc/" + std::to_string(exporter.process().pid()) + "/cmdline");
  EXPECT_EQ(exporter.stop(), 0);
  everything += exporter.process().out() + content_of(exporter.state_file());
  EXPECT_NE(everything.find("guarded"), std::string::npos);
  EXPECT_EQ(everything.find(kSecret), std::string::npos);
}

TEST(BadInput, ATableThatDoesNotExistIsNamedAndNothingElseSuffers) {
  const Database database;
  database.run("CREATE TABLE thing (id int PRIMARY KEY)");
  const Findings found = look(
      one_server(database.dsn(),
                 "[[server.collectors.audit_logs.logs]]\nname = \"deletes\"\ntable = \"DeletLog\"\n"
                 "time = \"at\"\nmax_recent = 0\n"));
  EXPECT_EQ(found.reason("audit_logs/deletes"), Reason::missing);
  EXPECT_NE(report_as_text(found.report).find("DeletLog"), std::string::npos);
  EXPECT_EQ(found.value("pg_integrity_table_rows", {{"table", "thing"}}), 0);
}

TEST(BadInput, APortInUseIsSaidInOneLine) {
  const Database database;
  ExporterProcess first(one_server(database.dsn()));
  const TemporaryDirectory state;
  const std::string other = state.write(
      "other.toml", "state_dir = \"" + state.path() + "\"\n" + one_server(database.dsn()));
  const Finished second =
      run({program(), "--config", other, "--listen", "127.0.0.1:" + std::to_string(first.port()),
           "--log-level", "error"});
  EXPECT_EQ(second.status, 1);
  EXPECT_EQ(lines_of(second.err), 1) << second.err;
  EXPECT_NE(second.err.find("127.0.0.1:" + std::to_string(first.port())), std::string::npos);
  EXPECT_NE(second.err.find("HINT: "), std::string::npos) << second.err;
  EXPECT_EQ(fetch(first.port(), "/-/healthy").status, 200);
}

TEST(BadInput, AFileThatIsNotThereIsSaidInOneLine) {
  const Finished finished = run({program(), "--config", "/nonexistent.toml"});
  EXPECT_EQ(finished.status, 3);
  EXPECT_EQ(lines_of(finished.err), 1) << finished.err;
  EXPECT_NE(finished.err.find("/nonexistent.toml"), std::string::npos) << finished.err;
}

TEST(BadInput, ATypoInAKeyNamesTheNearestOne) {
  const TemporaryDirectory directory;
  const std::string config = directory.write(
      "typo.toml", "[[server]]\nname = \"a\"\ndsn = \"dbname=a\"\nmax_sesions = 1\n");
  const Finished finished = run({program(), "config", "check", "--config", config});
  EXPECT_EQ(finished.status, 3);
  EXPECT_EQ(lines_of(finished.err), 1) << finished.err;
  EXPECT_NE(finished.err.find(config + ":4:1: "), std::string::npos) << finished.err;
  EXPECT_NE(finished.err.find("max_sessions"), std::string::npos) << finished.err;
}

TEST(BadInput, AnUnknownFlagEndsWithTheUsageCode) {
  const Finished finished = run({program(), "--confg", "x"});
  EXPECT_EQ(finished.status, 3);
  EXPECT_EQ(lines_of(finished.err), 1) << finished.err;
  EXPECT_NE(finished.err.find("HINT: "), std::string::npos);
}

}  // namespace
}  // namespace pg_integrity::test::bad_input_test
