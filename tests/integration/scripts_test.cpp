// The scripts of deploy/ when things do not go as planned.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "tests/support/cluster.h"
#include "tests/support/exporter.h"
#include "tests/support/observer.h"
#include "tests/support/paths.h"
#include "tests/support/temporary.h"
#include "tests/support/wait.h"
#include "tests/support/wire.h"

namespace pg_integrity::test::scripts_test {
namespace {

/// The command that runs lines of bash after it has read deploy/common.sh.
std::vector<std::string> with_common(const std::string& lines) {
  return {"bash", "-c", "set -euo pipefail\n. '" + source_path("deploy/common.sh") + "'\n" + lines};
}

TEST(Scripts, AnInterruptedInstallationLetsServicesStartAgain) {
  const TemporaryDirectory directory;
  const std::string apt_get =
      directory.write("apt-get", "#!/bin/sh\ntouch \"${0%/*}/busy\"\nexec sleep 60\n");
  ASSERT_EQ(::chmod(apt_get.c_str(), 0755), 0);
  const std::string policy = directory.path() + "/policy-rc.d";
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    std::filesystem::remove(directory.path() + "/busy");
    Process script(
        with_common("as_root() { \"$@\"; }\n"
                    "PATH=" +
                    directory.path() + ":$PATH service_policy=" + policy +
                    " cluster_defaults=" + directory.path() +
                    "/createcluster.conf\n"
                    "install_packages something\n"));
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(directory.path() + "/busy"); }));
    EXPECT_TRUE(std::filesystem::exists(policy)) << "nothing is started meanwhile";
    ASSERT_EQ(::kill(-script.pid(), signal), 0);
    EXPECT_TRUE(script.wait_for(std::chrono::seconds(30)).has_value());
    EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(policy); }))
        << "signal " << signal;
  }
}

TEST(Scripts, AFinishedInstallationToo) {
  const TemporaryDirectory directory;
  const std::string apt_get = directory.write("apt-get", "#!/bin/sh\nexit 100\n");
  ASSERT_EQ(::chmod(apt_get.c_str(), 0755), 0);
  const Finished finished =
      run(with_common("as_root() { \"$@\"; }\n"
                      "PATH=" +
                      directory.path() + ":$PATH service_policy=" + directory.path() +
                      "/policy-rc.d cluster_defaults=" + directory.path() +
                      "/createcluster.conf\n"
                      "install_packages something\n"));
  EXPECT_EQ(finished.status, 100) << finished.err;
  EXPECT_FALSE(std::filesystem::exists(directory.path() + "/policy-rc.d"));
  EXPECT_TRUE(std::filesystem::exists(directory.path() + "/createcluster.conf"));
}

TEST(Scripts, ASecondSignalDoesNotEndTheCleaningUp) {
  const TemporaryDirectory directory;
  Process script(with_common("on_end 'touch " + directory.path() + "/ending; sleep 1; touch " +
                             directory.path() + "/clean'\n" + "touch " + directory.path() +
                             "/busy; sleep 60\n"));
  const auto is_there = [&](const std::string& name) {
    return eventually([&] { return std::filesystem::exists(directory.path() + "/" + name); });
  };
  ASSERT_TRUE(is_there("busy"));
  ASSERT_EQ(::kill(-script.pid(), SIGTERM), 0);
  ASSERT_TRUE(is_there("ending"));
  ASSERT_EQ(::kill(-script.pid(), SIGTERM), 0);
  EXPECT_EQ(script.wait_for(std::chrono::seconds(30)), 143);
  EXPECT_TRUE(std::filesystem::exists(directory.path() + "/clean"));
}

TEST(Scripts, WhoCannotInstallPackagesIsToldSoAtOnce) {
  const TemporaryDirectory directory;
  const Finished finished =
      run(with_common("missing_packages() { printf 'one two '; }\n"
                      "id() { echo 1000; }\n"
                      "log_file=" +
                      directory.path() +
                      "/log\n"
                      "PATH=/nonexistent\n"  // there is no sudo
                      "need_packages one two three\n"));
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(finished.out, "") << "no step was begun";
  EXPECT_EQ(finished.err,
            "error: packages must be installed: one two \n"
            "HINT: run this as root or with sudo, or have them installed\n");
}

TEST(Scripts, TheDemoGoesToNoServerThatTheEnvironmentNames) {
  ProcessOptions options;
  options.environment = {{"PGSERVICE", "production"}, {"PGHOSTADDR", "192.0.2.1"}};
  const Finished finished =
      run(with_common("forget_libpq_environment; forget_libpq_environment; env"), options);
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(("\n" + finished.out).find("\nPG"), std::string::npos) << finished.out;
}

TEST(Scripts, QuickstartDoesNotTakeAnotherExporterForItsOwn) {
  const Database database;
  const ExporterProcess other(one_server(database.dsn()));
  const std::string address = "127.0.0.1:" + std::to_string(other.port());
  ProcessOptions options;
  options.environment["LISTEN"] = address;
  const Finished finished = run({source_path("deploy/quickstart.sh")}, options);
  EXPECT_EQ(finished.status, 1);
  EXPECT_TRUE(
      finished.err.starts_with("error: something listens on " + address + " already\nHINT: "))
      << finished.err;
}

TEST(Scripts, QuickstartDrillsTheDemo) {
  ProcessOptions options;
  options.environment["EXPORTER"] = program();
  options.without = {"DATA_SOURCE_NAME"};
  const Finished finished =
      run({source_path("deploy/quickstart.sh"), "--drill", "--once"}, options);
  EXPECT_EQ(finished.status, 0) << finished.out << finished.err;
  EXPECT_NE(finished.out.find("recorded/dump: success; measured recovery time (RTO) "),
            std::string::npos)
      << finished.out << finished.err;
  EXPECT_NE(finished.out.find("; recovery point (RPO) "), std::string::npos) << finished.out;
}

/// The quickstart, which runs until the object goes.
class Quickstart {
 public:
  explicit Quickstart(ProcessOptions options) {
    address_ = "127.0.0.1:" + std::to_string(free_port());
    options.environment["EXPORTER"] = program();
    options.environment["LISTEN"] = address_;
    process_.emplace(std::vector<std::string>{source_path("deploy/quickstart.sh")}, options);
  }
  ~Quickstart() {
    process_->signal(SIGTERM);
    process_->wait_for(std::chrono::seconds(30));
  }
  Quickstart(const Quickstart&) = delete;
  Quickstart& operator=(const Quickstart&) = delete;

  /// Waits for the end of what it prints.
  [[nodiscard]] bool is_up() const {
    return eventually([&] { return out().find("Ctrl-C ends it.") != std::string::npos; },
                      std::chrono::seconds(100));
  }
  [[nodiscard]] std::string out() const { return process_->out(); }
  [[nodiscard]] std::string report() const {
    return fetch(std::stoi(address_.substr(address_.find(':') + 1)), "/report.md").body;
  }

 private:
  std::string address_;
  std::optional<Process> process_;
};

constexpr const char* kDeletes = "The log deletes has 2 recent rows";

TEST(Scripts, AfterADeleteTheQuickstartShowsItWithinTenSeconds) {
  ProcessOptions options;
  options.without = {"DATA_SOURCE_NAME"};
  const Quickstart demo(options);
  ASSERT_TRUE(demo.is_up()) << demo.out();
  const std::string found = demo.out();
  const std::size_t begin = found.find("psql -h ");
  const std::size_t end = found.find("   # look again", begin);
  ASSERT_NE(end, std::string::npos) << found;
  const std::string before = demo.report();
  EXPECT_EQ(before.find(kDeletes), std::string::npos) << before;
  const Finished deleted = run({"sh", "-c", found.substr(begin, end - begin)});
  ASSERT_EQ(deleted.status, 0) << deleted.err << found;
  EXPECT_TRUE(eventually([&] { return demo.report().find(kDeletes) != std::string::npos; },
                         std::chrono::seconds(10)))
      << demo.report();
}

TEST(Scripts, QuickstartSaysWhyADatabaseIsOutOfReach) {
  ProcessOptions options;
  options.environment["DATA_SOURCE_NAME"] =
      "host=127.0.0.1 port=" + std::to_string(free_port()) + " dbname=none user=none";
  const Quickstart own(options);
  ASSERT_TRUE(own.is_up()) << own.out();
  EXPECT_NE(own.out().find("out of reach: "), std::string::npos) << own.out();
  EXPECT_NE(own.out().find("Connection refused"), std::string::npos) << own.out();
}

TEST(Scripts, QuickstartDrillsNobodysOwnDatabase) {
  ProcessOptions options;
  options.environment["DATA_SOURCE_NAME"] = "host=192.0.2.1";
  const Finished finished = run({source_path("deploy/quickstart.sh"), "--drill"}, options);
  EXPECT_EQ(finished.status, 1);
  EXPECT_TRUE(finished.err.starts_with("error: --drill is of the demo\nHINT: ")) << finished.err;
}

}  // namespace
}  // namespace pg_integrity::test::scripts_test
