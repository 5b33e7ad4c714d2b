#include "exporter/io/disposable_workers.h"

#include <system_error>
#include <thread>

#include "collectors/base/errors.h"

namespace pg_integrity {

void DisposableWorkers::GivenUp::add(const std::string& path) {
  const std::lock_guard lock(mutex);
  paths.insert(path);
}

void DisposableWorkers::GivenUp::remove(const std::string& path) {
  const std::lock_guard lock(mutex);
  paths.erase(paths.find(path));
}

std::unique_ptr<DisposableWorkers> DisposableWorkers::sibling() const {
  return std::unique_ptr<DisposableWorkers>(new DisposableWorkers(clock_, given_up_));
}

void DisposableWorkers::throw_timeout(const std::string& path) {
  throw SourceError(Reason::timeout, path + " did not answer in time");
}

void DisposableWorkers::refuse_if_given_up(const std::string& path) const {
  const std::lock_guard lock(given_up_->mutex);
  if (given_up_->paths.contains(path))
    throw SourceError(Reason::timeout, path + " has still not answered an earlier call");
}

void DisposableWorkers::start(std::function<void()> errand) {
  try {
    std::thread(std::move(errand)).detach();
  } catch (const std::system_error&) {
    throw SourceError(Reason::limit, "no thread can be started");
  }
}

std::size_t DisposableWorkers::given_up() const {
  const std::lock_guard lock(given_up_->mutex);
  return given_up_->paths.size();
}

}  // namespace pg_integrity
