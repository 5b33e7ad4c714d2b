#include "exporter/scheduler/lane.h"

#include <algorithm>
#include <utility>

namespace pg_integrity {

namespace {

constexpr double kQuickPart = 0.5;  ///< of the share; the rest is left to scans

}  // namespace

void LoadShare::spent(bool quick, Seconds busy, Instant now) {
  if (share_ >= 1) return;
  const Seconds span = busy / share_;
  const Instant began = now - busy;
  const MutexLock lock(mutex_);
  if (quick) quick_free_ = std::max(quick_free_, began) + span / kQuickPart;
  scan_free_ = std::max(scan_free_, began) + span;
}

Instant LoadShare::free_at(bool quick) const {
  const MutexLock lock(mutex_);
  return quick ? quick_free_ : scan_free_;
}

LaneThread::LaneThread(bool quick, LoadShare& load, const WaitableClock& clock, Upkeep upkeep)
    : quick_(quick), load_(load), clock_(clock), upkeep_(std::move(upkeep)) {}

LaneThread::~LaneThread() {
  stop();
  join();
}

void LaneThread::add(std::shared_ptr<Task> task) {
  {
    const MutexLock lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
}

void LaneThread::remove(const Task& task) {
  const MutexLock lock(mutex_);
  std::erase_if(tasks_, [&](const auto& own) { return own.get() == &task; });
}

void LaneThread::wake() {
  // Locks once, because the lane reads under this lock when its tasks are due. A notification in
  // the middle of that would be lost, and the lane would wait for an outdated time.
  { const MutexLock lock(mutex_); }
  changed_.notify_all();
}

void LaneThread::start(bool until_done) {
  {
    const MutexLock lock(mutex_);
    until_done_ = until_done;
  }
  thread_ = std::thread([this] {
    run();
    {
      const MutexLock lock(mutex_);
      finished_ = true;
    }
    changed_.notify_all();
  });
}

void LaneThread::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void LaneThread::join() {
  if (thread_.joinable()) thread_.join();
}

bool LaneThread::finished() const {
  const MutexLock lock(mutex_);
  return finished_;
}

void LaneThread::wait_until_finished(Instant moment) const {
  const MutexLock lock(mutex_);
  while (!finished_ && clock_.now() < moment) changed_.wait_until(mutex_, clock_, moment);
}

std::optional<LaneThread::Next> LaneThread::next() const {
  std::optional<Next> next;
  for (const auto& task : tasks_)
    if (const auto due = task->due(); due && (!next || *due < next->when)) next = Next{task, *due};
  if (next && !until_done_) next->when = std::max(next->when, load_.free_at(quick_));
  return next;
}

/// @return nullptr when the upkeep is due or the lane is to stop.
std::shared_ptr<Task> LaneThread::wait_for_due(std::optional<Instant> upkeep) {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    const auto coming = next();
    if (!coming && until_done_) {
      stopping_ = true;
      break;
    }
    const Instant now = clock_.now();
    if (coming && coming->when <= now) return coming->task;
    if (upkeep && *upkeep <= now) return nullptr;
    changed_.wait_until(mutex_, clock_, coming ? earlier(coming->when, upkeep) : upkeep);
  }
  return nullptr;
}

void LaneThread::run() {
  for (;;) {
    const std::shared_ptr<Task> task = wait_for_due(upkeep_());
    if (task) {
      const Seconds busy = task->step();
      load_.spent(quick_, busy, clock_.now());
    }
    const MutexLock lock(mutex_);
    if (stopping_) return;
  }
}

}  // namespace pg_integrity
