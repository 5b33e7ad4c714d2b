#include "exporter/io/service_manager.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "exporter/io/descriptor.h"
#include "tests/support/clock.h"
#include "tests/support/exporter.h"
#include "tests/support/process.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::service_manager_test {
namespace {

/// A socket such as systemd's, and the environment that it gives its services.
class ServiceManagerOf : public ::testing::Test {
 protected:
  ~ServiceManagerOf() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }
  void listen_at(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    ASSERT_EQ(::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  void listen_in_a_directory() { listen_at(directory_.path() + "/notify"); }
  static void expect_signs_of_life(const std::string& microseconds, const std::string& pid) {
    ::setenv("WATCHDOG_USEC", microseconds.c_str(), 1);
    ::setenv("WATCHDOG_PID", pid.c_str(), 1);
  }
  static void expect_signs_of_life() {
    expect_signs_of_life("30000000", std::to_string(::getpid()));
  }
  /// What was told next. Empty if nothing comes.
  [[nodiscard]] std::string told(int milliseconds = 10000) const {
    pollfd wait{socket_.number(), POLLIN, 0};
    if (::poll(&wait, 1, milliseconds) != 1) return {};
    std::array<char, 256> text{};
    const auto got = ::recv(socket_.number(), text.data(), text.size(), 0);
    return {text.data(), static_cast<std::size_t>(got < 0 ? 0 : got)};
  }

  SteppedClock clock_;
  TemporaryDirectory directory_;
  Descriptor socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  std::atomic<int> asked_ = 0;
};

TEST_F(ServiceManagerOf, TellsOfItsBeginningAndItsEnd) {
  listen_in_a_directory();
  ServiceManager manager(clock_, [this] { ++asked_; });
  EXPECT_EQ(told(0), "") << "it has yet to listen";
  manager.ready();
  EXPECT_EQ(told(), "READY=1");
  manager.stopping();
  EXPECT_EQ(told(), "STOPPING=1");
  EXPECT_EQ(asked_, 0) << "nobody expects signs of life";
}

TEST_F(ServiceManagerOf, KnowsAbstractNames) {
  listen_at("@pg_integrity_test_" + std::to_string(::getpid()));
  ServiceManager manager(clock_, [] {});
  manager.ready();
  EXPECT_EQ(told(), "READY=1");
}

TEST_F(ServiceManagerOf, GivesThreeSignsOfLifeInTheTimeOfTheWatchdog) {
  listen_in_a_directory();
  expect_signs_of_life();
  ServiceManager manager(clock_, [this] { ++asked_; });
  manager.ready();
  EXPECT_EQ(told(), "READY=1");
  for (int sign = 1; sign <= 3; ++sign) {
    EXPECT_EQ(told(), "WATCHDOG=1");
    EXPECT_EQ(asked_, sign) << "it was asked before it was told";
    clock_.await_waiting(1);
    EXPECT_EQ(told(0), "");
    clock_.advance(Seconds(10));
  }
}

TEST_F(ServiceManagerOf, GivesNoSignOfLifeWhileTheProcessHangs) {
  listen_in_a_directory();
  expect_signs_of_life();
  Mutex mutex;
  Condition changed;
  bool hangs = true;
  {
    ServiceManager manager(clock_, [&] {
      ++asked_;
      const MutexLock lock(mutex);
      while (hangs) changed.wait(mutex);
    });
    manager.ready();
    EXPECT_EQ(told(), "READY=1");
    EXPECT_EQ(told(200), "");
    {
      const MutexLock lock(mutex);
      hangs = false;
    }
    changed.notify_all();
    EXPECT_EQ(told(), "WATCHDOG=1");
  }
  EXPECT_EQ(asked_, 1);
}

TEST_F(ServiceManagerOf, GivesNoSignOfLifeThatIsExpectedOfAnotherProcess) {
  listen_in_a_directory();
  for (const auto& [microseconds, pid] :
       {std::pair("30000000", std::to_string(::getpid() + 1)), std::pair("", std::string()),
        std::pair("-1", std::string()), std::pair("1s", std::string())}) {
    expect_signs_of_life(microseconds, pid);
    {
      ServiceManager manager(clock_, [this] { ++asked_; });
      manager.ready();
    }
    EXPECT_EQ(told(), "READY=1");
    EXPECT_EQ(told(0), "");
  }
  EXPECT_EQ(asked_, 0);
}

TEST_F(ServiceManagerOf, StartsWhereNobodyListens) {
  expect_signs_of_life();
  ServiceManager without(clock_, [this] { ++asked_; });
  without.ready();
  ::setenv("NOTIFY_SOCKET", (directory_.path() + "/nobody").c_str(), 1);
  ServiceManager manager(clock_, [] {});
  manager.ready();
  manager.stopping();
  EXPECT_EQ(asked_, 0);
}

TEST_F(ServiceManagerOf, HearsOfTheWholeProgram) {
  listen_in_a_directory();
  ProcessOptions options;
  options.environment["NOTIFY_SOCKET"] = directory_.path() + "/notify";
  options.environment["WATCHDOG_USEC"] = "300000";
  ExporterProcess exporter("[[server]]\nname = \"nowhere\"\ndsn = \"host=/nowhere dbname=d\"\n",
                           options);
  EXPECT_EQ(told(), "READY=1");
  EXPECT_NO_THROW((void)exporter.page()) << "it listens";
  EXPECT_EQ(told(), "WATCHDOG=1");
  EXPECT_EQ(told(), "WATCHDOG=1");
  EXPECT_EQ(exporter.stop(), 0);
  std::string last = told();
  while (last == "WATCHDOG=1") last = told();
  EXPECT_EQ(last, "STOPPING=1");
}

}  // namespace
}  // namespace pg_integrity::test::service_manager_test
