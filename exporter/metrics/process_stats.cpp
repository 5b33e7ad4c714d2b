#include "exporter/metrics/process_stats.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>

namespace pg_integrity {

namespace {

struct Stat {
  double cpu_seconds = 0;
  double start_seconds_after_boot = 0;
  double virtual_bytes = 0;
  double resident_bytes = 0;
  double threads = 0;
};

/// Reads the fields of /proc/self/stat, see proc(5). They begin after the last parenthesis, because
/// the name in parentheses may hold anything.
bool read_stat(Stat& stat) {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t after_name = line.rfind(')');
  if (after_name == std::string::npos) return false;
  std::istringstream fields(line.substr(after_name + 2));
  std::vector<double> numbers;
  std::string field;
  while (fields >> field) numbers.push_back(std::atof(field.c_str()));
  if (numbers.size() < 22) return false;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  stat.cpu_seconds = (numbers[11] + numbers[12]) / ticks;
  stat.threads = numbers[17];
  stat.start_seconds_after_boot = numbers[19] / ticks;
  stat.virtual_bytes = numbers[20];
  stat.resident_bytes = numbers[21] * static_cast<double>(::sysconf(_SC_PAGESIZE));
  return true;
}

double boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  double seconds = 0;
  while (file >> word)
    if (word == "btime" && file >> seconds) return seconds;
  return 0;
}

double open_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc/self/fd"), ::closedir);
  if (!directory) return -1;
  double count = 0;
  while (const dirent* entry = ::readdir(directory.get()))
    if (entry->d_name[0] != '.') ++count;
  return count - 1;  // the one that reads the directory
}

}  // namespace

std::vector<ProcessStat> process_stats() {
  std::vector<ProcessStat> stats;
  Stat stat;
  if (read_stat(stat)) {
    stats.push_back({"process_cpu_seconds_total",
                     "Total user and system CPU time spent in seconds.", stat.cpu_seconds, true});
    stats.push_back({"process_resident_memory_bytes", "Resident memory size in bytes.",
                     stat.resident_bytes, false});
    stats.push_back({"process_virtual_memory_bytes", "Virtual memory size in bytes.",
                     stat.virtual_bytes, false});
    stats.push_back({"process_threads", "Number of OS threads.", stat.threads, false});
    if (const double boot = boot_time(); boot > 0)
      stats.push_back({"process_start_time_seconds",
                       "Start time of the process since unix epoch in seconds.",
                       boot + stat.start_seconds_after_boot, false});
  }
  if (const double open = open_descriptors(); open >= 0)
    stats.push_back({"process_open_fds", "Number of open file descriptors.", open, false});
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    stats.push_back({"process_max_fds", "Maximum number of open file descriptors.",
                     static_cast<double>(limit.rlim_cur), false});
  return stats;
}

}  // namespace pg_integrity
