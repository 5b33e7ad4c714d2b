// Processes of the server that stand still. Neither cancelling nor the server's own timeouts help.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <sstream>

#include "tests/support/cluster.h"
#include "tests/support/exporter.h"
#include "tests/support/observer.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::frozen_server_test {
namespace {

constexpr const char* kImpatient =
    "[defaults.collectors.query_latency]\ninterval = \"1s\"\ndeadline = \"1s\"\n"
    "[defaults.collectors.row_counts]\ninterval = \"1s\"\ndeadline = \"1s\"\n"
    "[defaults.collectors.orphans]\ninterval = \"1s\"\ndeadline = \"1s\"\n"
    "[defaults.collectors.server]\ninterval = \"1s\"\ndeadline = \"1s\"\n";

/// A table to be checked, and the role that checks it.
std::string watched(const Database& database) {
  database.run(
      "CREATE TABLE thing (id int PRIMARY KEY);"
      "CREATE ROLE watcher LOGIN IN ROLE pg_read_all_data");
  return database.dsn("watcher");
}

class FrozenServer : public testing::Test {
 protected:
  void SetUp() override {
    exporter.wait_until_ready();
    ASSERT_TRUE(exporter.shows("pg_integrity_collector_success", {{"collector", "row_counts"}}, 1))
        << exporter.log();
  }
  ~FrozenServer() override {
    for (const pid_t backend : frozen_) ::kill(backend, SIGCONT);
  }

  /// The watcher's backends. The session that asks for them was there before anything froze.
  std::vector<pid_t> backends() {
    std::istringstream pids(observer_.ask(
        "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE usename = 'watcher'"));
    std::vector<pid_t> found;
    for (pid_t pid = 0; pids >> pid;) found.push_back(pid);
    return found;
  }

  /// The watcher's starting backends, found by the titles of their processes. The server's views do
  /// not show them yet.
  std::size_t starting_backends() const {
    const std::string pids =
        run({"pgrep", "-P", std::to_string(cluster.postmaster_pid()), "-f", "postgres: watcher"})
            .out;
    return static_cast<std::size_t>(std::count(pids.begin(), pids.end(), '\n'));
  }

  /// Sessions that the exporter cannot use: frozen while they worked or while they started.
  double lost_sessions() const {
    const PageText page = exporter.page();
    return page.value("pg_integrity_exporter_sessions", {{"state", "abandoned"}}).value_or(0) +
           page.value("pg_integrity_exporter_sessions", {{"state", "connecting"}}).value_or(0);
  }

  void freeze(pid_t backend) {
    ::kill(backend, SIGSTOP);
    frozen_.push_back(backend);
  }

  Cluster cluster;
  Database database{cluster};
  ExporterProcess exporter{kImpatient + one_server(watched(database))};

 private:
  Client observer_{cluster.dsn("postgres")};
  std::vector<pid_t> frozen_;
};

TEST_F(FrozenServer, ItsBackendsCostTwoSessionsAtMostAndThePageStaysUp) {
  std::size_t most = 0;
  std::size_t frozen = 0;
  // Every backend that comes is frozen at once.
  const bool lost = eventually([&] {
    const auto now = backends();
    most = std::max(most, now.size());
    for (const pid_t backend : now) freeze(backend);
    frozen += now.size();
    return lost_sessions() == 2;
  });
  EXPECT_TRUE(lost) << exporter.log();
  for (int i = 0; i < 100; ++i) {
    most = std::max(most, backends().size());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_LE(most, 2U);
  EXPECT_GT(frozen, 0U);
  EXPECT_EQ(exporter.value("pg_integrity_collector_success", {{"collector", "row_counts"}}), 0);

  for (const pid_t backend : backends()) ::kill(backend, SIGCONT);
  EXPECT_TRUE(exporter.shows("pg_integrity_collector_success", {{"collector", "row_counts"}}, 1))
      << exporter.log();
  EXPECT_TRUE(exporter.shows("pg_integrity_exporter_sessions", {{"state", "abandoned"}}, 0));
}

TEST_F(FrozenServer, BackendsThatHangWhileTheyStartDoNotPileUp) {
  Client(cluster.dsn("postgres")).run("ALTER SYSTEM SET post_auth_delay = '20s'");
  Client(cluster.dsn("postgres")).run("SELECT pg_reload_conf()");
  for (const pid_t backend : backends()) ::kill(backend, SIGTERM);
  std::size_t most = 0;
  // This is longer than several attempts would take, and each attempt could leave a backend behind.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(18);
  while (std::chrono::steady_clock::now() < end) {
    most = std::max(most, starting_backends());
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_GE(most, 1U);
  EXPECT_LE(most, 2U);
}

TEST_F(FrozenServer, ItsPostmasterIsWaitedForInVainAndThenReachedAgain) {
  const pid_t postmaster = cluster.postmaster_pid();
  freeze(postmaster);
  for (const pid_t backend : backends()) ::kill(backend, SIGTERM);  // new ones must be asked for
  EXPECT_TRUE(exporter.shows("pg_integrity_up", {}, 0)) << exporter.log();
  EXPECT_LE(backends().size(), 2U);
  ::kill(postmaster, SIGCONT);
  EXPECT_TRUE(exporter.shows("pg_integrity_up", {}, 1)) << exporter.log();
  EXPECT_TRUE(eventually([&] { return backends().size() <= 2; }));
}

TEST_F(FrozenServer, BesideItsBackendsRestartsAddOneSessionAtMost) {
  EXPECT_TRUE(eventually([&] {
    for (const pid_t backend : backends()) freeze(backend);
    return lost_sessions() == 2;
  })) << exporter.log();
  std::size_t most = 0;
  for (int restart = 0; restart < 3; ++restart) {
    exporter.process().signal(SIGKILL);
    ASSERT_TRUE(exporter.process().wait_for(std::chrono::seconds(10)));
    exporter.start();
    exporter.wait_until_ready();
    most = std::max(most, backends().size());
    EXPECT_TRUE(exporter.shows("pg_integrity_collector_success", {{"collector", "orphans"}}, 1))
        << exporter.log();
    most = std::max(most, backends().size());
  }
  EXPECT_EQ(most, 3U) << "two that are frozen, and one that works";
}

TEST_F(FrozenServer, TheExporterEndsAllTheSame) {
  for (const pid_t backend : backends()) freeze(backend);
  freeze(cluster.postmaster_pid());
  EXPECT_EQ(exporter.stop(), 0) << exporter.log();
}

}  // namespace
}  // namespace pg_integrity::test::frozen_server_test
