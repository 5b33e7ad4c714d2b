#include "exporter/metrics/process_stats.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <thread>

#include "tests/support/wait.h"

namespace pg_integrity::test::process_stats_test {
namespace {

double stat(std::string_view name) {
  for (const ProcessStat& one : process_stats())
    if (one.name == name) return one.value;
  throw std::runtime_error("no " + std::string(name));
}

TEST(ProcessStats, AreThoseOfPrometheusClientLibraries) {
  for (const ProcessStat& one : process_stats()) {
    EXPECT_TRUE(one.name.starts_with("process_")) << one.name;
    EXPECT_EQ(one.counts, one.name.ends_with("_total")) << one.name;
    EXPECT_FALSE(one.help.empty()) << one.name;
  }
  EXPECT_GE(process_stats().size(), 7U);
}

TEST(ProcessStats, MemoryIsInBytes) {
  rusage usage{};
  ASSERT_EQ(::getrusage(RUSAGE_SELF, &usage), 0);
  const double peak = static_cast<double>(usage.ru_maxrss) * 1024;
  EXPECT_GT(stat("process_resident_memory_bytes"), peak / 100);
  EXPECT_LE(stat("process_resident_memory_bytes"), peak * 2);
  EXPECT_GT(stat("process_virtual_memory_bytes"), stat("process_resident_memory_bytes"));
}

TEST(ProcessStats, TheProcessStartedInThePast) {
  const auto now = static_cast<double>(std::time(nullptr));
  EXPECT_LE(stat("process_start_time_seconds"), now + 1);
  EXPECT_GT(stat("process_start_time_seconds"), now - 86400);
}

TEST(ProcessStats, CountDescriptors) {
  const double before = stat("process_open_fds");
  const int one = ::open("/dev/null", O_RDONLY);
  EXPECT_EQ(stat("process_open_fds"), before + 1);
  ::close(one);
  EXPECT_EQ(stat("process_open_fds"), before);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(stat("process_max_fds"), static_cast<double>(limit.rlim_cur));
}

TEST(ProcessStats, CountThreads) {
  const double before = stat("process_threads");
  EXPECT_GE(before, 1);
  std::atomic<bool> stop = false;
  std::thread other([&] {
    while (!stop) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  EXPECT_EQ(stat("process_threads"), before + 1);
  stop = true;
  other.join();
}

TEST(ProcessStats, CpuTimeGrowsWithWork) {
  const double before = stat("process_cpu_seconds_total");
  EXPECT_TRUE(eventually([&] {
    volatile double work = 0;
    for (int i = 0; i < 10'000'000; ++i) work = work + 1;
    return stat("process_cpu_seconds_total") > before;
  }));
}

}  // namespace
}  // namespace pg_integrity::test::process_stats_test
