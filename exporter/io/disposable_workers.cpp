#include "exporter/io/disposable_workers.h"

#include "collectors/base/errors.h"

namespace pg_integrity {

void DisposableWorkers::GivenUp::add(const std::string& path) {
  const MutexLock lock(mutex);
  paths.insert(path);
}

void DisposableWorkers::GivenUp::remove(const std::string& path) {
  const MutexLock lock(mutex);
  paths.erase(paths.find(path));
}

std::unique_ptr<DisposableWorkers> DisposableWorkers::sibling() const {
  return std::unique_ptr<DisposableWorkers>(new DisposableWorkers(clock_, given_up_, threads_));
}

void DisposableWorkers::stop_waiting() {
  const MutexLock lock(mutex_);
  stopping_ = true;
  for (Errand* errand : waited_for_) {
    const MutexLock errand_lock(errand->mutex);
    errand->told_to_stop = true;
    errand->changed.notify_all();
  }
}

DisposableWorkers::Waiting::Waiting(DisposableWorkers& workers, Errand& errand)
    : workers_(workers), errand_(errand) {
  const MutexLock lock(workers_.mutex_);
  workers_.waited_for_.insert(&errand_);
  const MutexLock errand_lock(errand_.mutex);
  errand_.told_to_stop = workers_.stopping_;
}

DisposableWorkers::Waiting::~Waiting() {
  const MutexLock lock(workers_.mutex_);
  workers_.waited_for_.erase(&errand_);
}

void DisposableWorkers::wait_for(Errand& errand, Instant deadline, const std::string& path) {
  const Waiting waiting(*this, errand);
  const MutexLock lock(errand.mutex);
  while (!errand.done) {
    if (errand.told_to_stop || clock_.now() >= deadline) {
      errand.given_up = true;
      given_up_->add(path);
      throw_timeout(path);
    }
    errand.changed.wait_until(errand.mutex, clock_, deadline);
  }
}

void DisposableWorkers::throw_timeout(const std::string& path) {
  throw SourceError(Reason::timeout, path + " did not answer in time");
}

void DisposableWorkers::refuse_if_given_up(const std::string& path) const {
  const MutexLock lock(given_up_->mutex);
  if (given_up_->paths.contains(path))
    throw SourceError(Reason::timeout, path + " has still not answered an earlier call");
}

std::size_t DisposableWorkers::given_up() const {
  const MutexLock lock(given_up_->mutex);
  return given_up_->paths.size();
}

}  // namespace pg_integrity
