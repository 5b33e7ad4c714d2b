#include "exporter/drill/bounds.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "collectors/base/units.h"

namespace pg_integrity {

namespace {

constexpr Seconds kBetweenChecks{1};
constexpr double kShareLeft = 0.05;
constexpr double kMostLeft = 5.0 * (1U << 30U);  // bytes

bool is_full(const std::string& folder) {
  struct statvfs found {};
  if (::statvfs(folder.c_str(), &found) != 0) return false;
  const double block = static_cast<double>(found.f_frsize);
  const double all = static_cast<double>(found.f_blocks) * block;
  return static_cast<double>(found.f_bavail) * block < std::min(all * kShareLeft, kMostLeft);
}

bool memory_is_short() {
  std::map<std::string, double> found;
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  for (double number = 0; file >> name >> number && found.size() < 3; std::getline(file, unit))
    found[name] = number;
  return found.contains("MemAvailable:") &&
         found["MemAvailable:"] < found["MemTotal:"] * kShareLeft;
}

/// The bound that is passed now; empty if none is.
std::string passed_now(const std::string& folder) {
  if (is_full(folder))
    return fmt::format("the file system of {} is full but for what others need. HINT: --work-dir",
                       folder);
  if (memory_is_short()) return "the machine's memory is used up but for what others need";
  return {};
}

}  // namespace

Bounds::Bounds(const WaitableClock& clock, Seconds time, std::string folder,
               std::function<void()> end)
    : time_(time),
      folder_(std::move(folder)),
      end_(std::move(end)),
      thread_([this, &clock, last = clock.now() + time] { watch(clock, last); }) {}

Bounds::~Bounds() {
  done_.stop();
  thread_.join();
}

std::string Bounds::passed() const {
  const MutexLock lock(mutex_);
  return passed_;
}

void Bounds::watch(const WaitableClock& clock, Instant last) {
  std::string why;
  while (why.empty()) {
    if (!done_.wait_until(clock, std::min(last, clock.now() + kBetweenChecks))) return;
    why = clock.now() < last ? passed_now(folder_)
                             : fmt::format(
                                   "it did not end within {}. HINT: drill_timeout of "
                                   "[server.drills]",
                                   format_duration(time_));
  }
  {
    const MutexLock lock(mutex_);
    passed_ = why;
  }
  end_();
}

}  // namespace pg_integrity
