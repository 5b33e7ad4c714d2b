#include "exporter/io/programs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <thread>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "exporter/io/child_process.h"
#include "exporter/io/disposable_workers.h"
#include "tests/support/clock.h"
#include "tests/support/failure.h"
#include "tests/support/temporary.h"
#include "tests/support/unprivileged.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::programs_test {
namespace {

class Programs : public ::testing::Test {
 protected:
  std::string output(const std::vector<std::string>& command, Seconds timeout = Seconds(60),
                     std::size_t max_out = 1000) {
    WorkerPrograms processes(workers_, clock_.now() + Seconds(120));
    return processes.output({command, timeout, max_out});
  }
  /// Makes a script.
  /// @return its path.
  [[nodiscard]] std::string script(const std::string& text) const {
    std::string path = directory_.write("script", "#!/bin/sh\n" + text);
    ::chmod(path.c_str(), 0755);
    return path;
  }
  SourceError failure_of(const std::vector<std::string>& command, Seconds timeout = Seconds(60)) {
    return failure([&] { output(command, timeout); });
  }
  /// A script that starts a process, writes down its own id and that of the process, and hangs.
  [[nodiscard]] std::string hanging() const {
    return script("sleep 1000 & echo $$ $! > " + directory_.path() + "/new && mv " +
                  directory_.path() + "/new " + directory_.path() + "/pids\nwait\n");
  }
  /// Waits until the processes hang.
  /// @return their ids.
  [[nodiscard]] std::vector<pid_t> pids() const {
    const std::string path = directory_.path() + "/pids";
    EXPECT_TRUE(eventually([&] { return ::access(path.c_str(), F_OK) == 0; }));
    std::ifstream file(path);
    std::vector<pid_t> found(2);
    file >> found[0] >> found[1];
    return found;
  }
  static void expect_gone(const std::vector<pid_t>& pids) {
    for (const pid_t pid : pids)
      EXPECT_TRUE(eventually([&] { return !start_of_process(pid); })) << pid;
  }
  /// @param end ends a hanging program before its own time-out.
  void expect_killed(const std::function<void()>& end) {
    const std::string program = hanging();
    std::optional<Reason> reason;
    std::thread asking([&] { reason = failure_of({program}).reason(); });
    const std::vector<pid_t> running = pids();
    end();
    asking.join();
    EXPECT_EQ(reason, Reason::timeout);
    expect_gone(running);
  }

  TemporaryDirectory directory_;
  SteppedClock clock_;
  DisposableWorkers workers_{clock_};
};

TEST_F(Programs, SayWhatTheyPrint) {
  EXPECT_EQ(output({"printf", "%s|", "a b", "$HOME", "*"}), "a b|$HOME|*|") << "no shell saw it";
  EXPECT_EQ(output({script("cat; echo out; echo err >&2")}), "out\n") << "there is no input";
}

TEST_F(Programs, AreRunInACleanEnvironment) {
  ::setenv("PGPASSWORD", "secret", 1);
  const std::string environment = output({"env"});
  ::unsetenv("PGPASSWORD");
  std::istringstream lines(environment);
  std::set<std::string> names;
  for (std::string line; std::getline(lines, line);) names.insert(line.substr(0, line.find('=')));
  EXPECT_EQ(names, (std::set<std::string>{"HOME", "LC_ALL", "PATH", "TZ"}));
}

TEST_F(Programs, InheritNoDescriptor) {
  const int open = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as some library may
  const std::string seen =
      output({"sh", "-c", "[ ! -e /proc/self/fd/" + std::to_string(open) + " ] && echo closed"});
  ::close(open);
  EXPECT_EQ(seen, "closed\n");
}

TEST_F(Programs, AFailureIsToldByItsStatusAndFirstLine) {
  const SourceError error = failure_of({script("echo first >&2; echo second >&2; exit 55")});
  EXPECT_EQ(error.reason(), Reason::io);
  EXPECT_STREQ(error.what(), (directory_.path() + "/script ended with status 55: first").c_str());
  EXPECT_NE(std::string(failure_of({script("kill -TERM $$")}).what()).find("ended by signal 15"),
            std::string::npos);
  EXPECT_STREQ(failure_of({script("echo out; echo more; exit 3")}).what(),
               (directory_.path() + "/script ended with status 3: out").c_str())
      << "pgBackRest 2.55 writes nothing to standard error";
  const std::string told =
      failure_of({script("head -c 100000 /dev/zero | tr '\\0' x >&2; false")}).what();
  EXPECT_LT(told.size(), 1000U) << "of a long line not all";
}

TEST_F(Programs, OneThatIsNotThereOrNotForUsIsToldApart) {
  EXPECT_EQ(failure_of({"no-such-program"}).reason(), Reason::missing);
  EXPECT_EQ(failure_of({directory_.path() + "/nothing"}).reason(), Reason::missing);
  const std::string sealed = directory_.write("sealed", "#!/bin/sh\n");
  const Unprivileged nobody;
  EXPECT_EQ(failure_of({sealed}).reason(), Reason::permission);
}

TEST_F(Programs, OutputHasABound) {
  EXPECT_EQ(output({"head", "-c", "1000", "/dev/zero"}).size(), 1000U);
  EXPECT_EQ(failure_of({"head", "-c", "1001", "/dev/zero"}).reason(), Reason::too_large);
  EXPECT_EQ(failure_of({"yes"}).reason(), Reason::too_large) << "one without an end is killed";
}

TEST_F(Programs, OneThatHangsIsKilledWithAllThatItStarted) {
  EXPECT_EQ(failure_of({hanging()}, Seconds(5)).reason(), Reason::timeout);
  expect_gone(pids());
  EXPECT_EQ(workers_.given_up(), 0U);
}

TEST_F(Programs, TheStepsDeadlineKillsIt) {
  expect_killed([&] { clock_.advance(Seconds(1000)); });
  EXPECT_TRUE(eventually([&] { return workers_.given_up() == 0; })) << "its worker came back";
}

TEST_F(Programs, TheExportersEndKillsIt) {
  expect_killed([&] { workers_.stop_waiting(); });
}

}  // namespace
}  // namespace pg_integrity::test::programs_test
