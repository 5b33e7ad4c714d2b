#include "exporter/io/folder_watch.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <exception>
#include <optional>
#include <utility>

namespace pg_integrity {

namespace {

constexpr Seconds kPatience{2};

}  // namespace

std::string identity_of(const std::vector<std::string>& files) {
  std::string identity = "files\n";
  for (const std::string& file : files) {
    struct stat facts {};
    if (::stat(file.c_str(), &facts) != 0) continue;
    identity += fmt::format("{} {} {} {}.{}\n", file, facts.st_ino, facts.st_size,
                            facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec);
  }
  return identity;
}

FolderWatch::FolderWatch(std::string name, Listing files, Seconds every, const WaitableClock& clock,
                         DisposableWorkers& workers, std::function<void()> changed,
                         std::string known)
    : name_(std::move(name)),
      files_(std::move(files)),
      every_(every),
      clock_(clock),
      workers_(workers),
      changed_(std::move(changed)),
      known_(std::move(known)),
      thread_([this] { work(); }) {}

FolderWatch::~FolderWatch() {
  stop_.stop();
  thread_.join();
}

std::string FolderWatch::look() const {
  try {
    return workers_.run<std::string>(name_, clock_.now() + kPatience,
                                     [files = files_] { return identity_of(files()); });
  } catch (const std::exception&) {
    return {};
  }
}

void FolderWatch::work() {
  while (stop_.wait_until(clock_, clock_.now() + every_)) {
    std::string seen = look();
    if (seen.empty() || seen == std::exchange(known_, seen)) continue;
    changed_();
  }
}

}  // namespace pg_integrity
