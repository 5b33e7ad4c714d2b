// What a program in the sandbox can see, reach and leave behind. Each attempt is made by a shell in
// it, as root's account postgres and as an ordinary user.
#include "exporter/io/sandbox.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "tests/support/failure.h"
#include "tests/support/process.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::sandbox_test {
namespace {

namespace fs = std::filesystem;

constexpr Seconds kLong{60};

class SandboxOf : public ::testing::Test {
 protected:
  SandboxOf() {
    if (::geteuid() == 0) account_ = account_named("postgres");
    fs::create_directory(open_.path() + "/etc");
    fs::create_directory(open_.path() + "/writable");
    if (account_) {
      EXPECT_EQ(::chown((open_.path() + "/writable").c_str(), account_->uid, account_->gid), 0);
    }
    sandbox_.emplace(Sandbox::with_namespaces(children_, account_, open_.path() + "/etc"));
    sandbox_->limit_to({});
  }

  /// What the script prints, and how it ended.
  Ended in_sandbox(const std::string& script, const SandboxView& more = {}) {
    Command command;
    command.arguments = {"/bin/sh", "-c", script};
    command.keep_out = true;
    SandboxView view = more;
    view.programs = {"ls", "cat", "touch", "env", "id", "setsid", "sleep", "stat"};
    return run(children_, sandbox_->around(command, view), kLong);
  }

  Children children_;
  std::optional<Account> account_;
  TemporaryDirectory open_;
  std::optional<Sandbox> sandbox_;
};

TEST_F(SandboxOf, ShowsNothingButTheSystemsLibrariesAndWhatIsNamed) {
  const Ended seen = in_sandbox("ls / /etc /usr /dev /bin");
  EXPECT_EQ(seen.status, 0) << seen.last_word();
  for (const char* hidden : {"home", "root", "tmp", "srv", "run", "work", "shadow", "sudoers",
                             "ssl", "postgresql-common", "sda", "vda", "mem", "kmsg", "fuse"})
    EXPECT_EQ(("\n" + seen.out).find(std::string("\n") + hidden + "\n"), std::string::npos)
        << seen.out;
  EXPECT_NE(in_sandbox("cat /etc/shadow").status, 0);
  EXPECT_NE(in_sandbox("cat " + open_.write("secret", "sesame")).status, 0);
  SandboxView view;
  view.readable = {open_.path() + "/secret"};
  EXPECT_EQ(in_sandbox("cat " + open_.path() + "/secret", view).out, "sesame");
}

TEST_F(SandboxOf, LetsWriteOnlyWhereItSays) {
  const std::string there = open_.path() + "/writable";
  SandboxView view;
  view.writable = {there};
  EXPECT_EQ(in_sandbox("touch " + there + "/a", view).status, 0);
  EXPECT_TRUE(fs::exists(there + "/a"));
  view = {};
  view.readable = {there};
  for (const std::string& place :
       {there, std::string("/"), std::string("/dev"), std::string("/dev/shm"),
        std::string("/usr/lib"), std::string("/etc"), open_.path(), std::string("/proc")})
    EXPECT_NE(in_sandbox("touch " + place + "/b", view).status, 0) << place;
}

TEST_F(SandboxOf, LinksLeadNowhereElse) {
  const std::string there = open_.path() + "/writable";
  open_.write("secret", "sesame");
  fs::create_symlink(open_.path() + "/secret", there + "/link");
  SandboxView view;
  view.writable = {there};
  EXPECT_NE(in_sandbox("cat " + there + "/link", view).status, 0);
}

TEST_F(SandboxOf, HasNoNetwork) {
  const Ended seen = in_sandbox("cat /proc/net/dev /proc/net/route");
  EXPECT_NE(seen.out.find("lo:"), std::string::npos) << seen.out;
  EXPECT_EQ(seen.out.find("eth"), std::string::npos) << seen.out;
  Command own;
  own.arguments = {"/bin/cat", "/proc/net/dev"};
  own.keep_out = true;
  const std::string here = run(children_, own, kLong).out;
  EXPECT_NE(here, in_sandbox("cat /proc/net/dev").out);
}

TEST_F(SandboxOf, SeesNoOtherProcess) {
  const Ended seen = in_sandbox("ls /proc");
  EXPECT_EQ(("\n" + seen.out).find("\n" + std::to_string(::getpid()) + "\n"), std::string::npos);
  EXPECT_NE(in_sandbox("kill -0 " + std::to_string(::getpid())).status, 0);
}

TEST_F(SandboxOf, KeepsOurEnvironmentAway) {
  ::setenv("PGPASSWORD", "sesame", 1);
  const Ended seen = in_sandbox("env");
  ::unsetenv("PGPASSWORD");
  EXPECT_EQ(seen.out.find("sesame"), std::string::npos) << seen.out;
}

TEST_F(SandboxOf, RunsAsTheAccountWithoutAnyRight) {
  const Ended seen = in_sandbox("id -un; cat /proc/self/status");
  EXPECT_EQ(seen.out.substr(0, seen.out.find('\n')), account_ ? "postgres" : "drill");
  EXPECT_NE(seen.out.find("CapEff:\t0000000000000000"), std::string::npos) << seen.out;
  EXPECT_NE(seen.out.find("NoNewPrivs:\t1"), std::string::npos) << seen.out;
}

TEST_F(SandboxOf, EndsDaemonsWithTheProgram) {
  const std::string nap = "4711." + std::to_string(::getpid());
  const Ended ended = in_sandbox("cd /; setsid sleep " + nap + " >/dev/null 2>&1 & sleep 0.2");
  EXPECT_EQ(ended.status, 0) << ended.last_word();
  std::string left;
  for (int tries = 0; tries < 50; ++tries) {
    left = test::run({"pgrep", "-f", "^sleep " + nap}).out;
    if (left.empty()) break;
    ::usleep(20000);
  }
  EXPECT_EQ(left, "");
}

TEST_F(SandboxOf, EndsWithTheProcessThatWaits) {
  const std::string nap = "4712." + std::to_string(::getpid());
  Command command;
  command.arguments = {"/bin/sh", "-c", "setsid sleep " + nap + " & sleep " + nap};
  SandboxView view;
  view.programs = {"sleep", "setsid"};
  {
    const Child child(children_, sandbox_->around(command, view));
    for (int tries = 0; tries < 250 && test::run({"pgrep", "-f", "^sleep " + nap}).out.empty();
         ++tries)
      ::usleep(20000);
    EXPECT_NE(test::run({"pgrep", "-f", "^sleep " + nap}).out, "");
  }
  for (int tries = 0; tries < 50 && !test::run({"pgrep", "-f", "^sleep " + nap}).out.empty();
       ++tries)
    ::usleep(20000);
  EXPECT_EQ(test::run({"pgrep", "-f", "^sleep " + nap}).out, "");
}

TEST_F(SandboxOf, BoundsProcessesMemoryAndFiles) {
  SandboxLimits limits;
  limits.processes = 20;
  limits.file_size = 1000;
  sandbox_->limit_to(limits);
  const Ended forks =
      in_sandbox("i=0; while [ $i -lt 40 ]; do sleep 1 & i=$((i+1)); done 2>/dev/null; echo all");
  EXPECT_EQ(forks.out.find("all"), std::string::npos) << "forty processes";
  SandboxView view;
  view.writable = {open_.path() + "/writable"};
  in_sandbox("cat /usr/lib/os-release >>" + open_.path() + "/writable/f; cat /usr/lib/os-release " +
                 "/usr/lib/os-release /usr/lib/os-release /usr/lib/os-release >>" + open_.path() +
                 "/writable/f",
             view);
  EXPECT_LE(fs::file_size(open_.path() + "/writable/f"), 1000U);
  limits = {};
  limits.memory = 64 << 20;
  sandbox_->limit_to(limits);
  EXPECT_NE(in_sandbox("x=0123456789abcdef; while :; do x=$x$x; done").status, 0);
}

TEST_F(SandboxOf, PassesOnHowTheProgramEnded) {
  EXPECT_EQ(in_sandbox("exit 7").status, 7);
  EXPECT_EQ(in_sandbox("kill -9 $$").status, 137);
  EXPECT_EQ(in_sandbox("echo oops >&2; exit 1").last_word(), "oops");
}

TEST_F(SandboxOf, IsRefusedWhereNamespacesCannotBeHad) {
  Command command;
  command.arguments = {
      "/usr/bin/bwrap", "--unshare-user", "--disable-userns", "--dev-bind", "/", "/",
      "/usr/bin/bwrap", "--unshare-user", "--dev-bind",       "/",          "/", "true"};
  command.account = account_;
  EXPECT_NE(run(children_, command, kLong).status, 0)
      << "the trial of with_namespaces() would pass";
}

TEST(ReaderOf, IsTheAccountOrTheOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root has other accounts";
  Children children;
  const TemporaryDirectory directory;
  const auto account = account_named("postgres");
  const std::string path = directory.write("a", "");
  EXPECT_EQ(reader_of(children, account, path)->uid, account->uid);
  ::chmod(path.c_str(), 0600);
  EXPECT_EQ(reader_of(children, account, path)->uid, 0U);
  EXPECT_FALSE(reader_of(children, std::nullopt, path));
}

}  // namespace
}  // namespace pg_integrity::test::sandbox_test
