#include "exporter/scheduler/lane.h"

#include <algorithm>
#include <utility>

namespace pg_integrity {

namespace {

constexpr Seconds kLongestNap{5};
constexpr double kQuickPart = 0.5;   ///< of the share; the rest is left to scans
constexpr Seconds kClockPoll{0.25};  ///< a test's clock may jump while a lane waits

}  // namespace

void LoadShare::spent(bool quick, Seconds busy, Instant now) {
  if (share_ >= 1) return;
  const Seconds span = busy / share_;
  const Instant began = now - busy;
  const std::lock_guard lock(mutex_);
  if (quick) quick_free_ = std::max(quick_free_, began) + span / kQuickPart;
  scan_free_ = std::max(scan_free_, began) + span;
}

Instant LoadShare::free_at(bool quick) const {
  const std::lock_guard lock(mutex_);
  return quick ? quick_free_ : scan_free_;
}

LaneThread::LaneThread(bool quick, LoadShare& load, const Clock& clock,
                       std::function<void()> between)
    : quick_(quick), load_(load), clock_(clock), between_(std::move(between)) {}

LaneThread::~LaneThread() {
  stop();
  join();
}

void LaneThread::add(std::shared_ptr<Task> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
}

void LaneThread::remove(const Task& task) {
  const std::lock_guard lock(mutex_);
  std::erase_if(tasks_, [&](const auto& own) { return own.get() == &task; });
}

void LaneThread::wake() {
  changed_.notify_all();
}

void LaneThread::start(bool until_done) {
  until_done_ = until_done;
  thread_ = std::thread([this] {
    run();
    finished_ = true;
  });
}

void LaneThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void LaneThread::join() {
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<Task> LaneThread::wait_for_due() {
  std::unique_lock lock(mutex_);
  const Instant patience = clock_.now() + kLongestNap;
  while (!stopping_) {
    std::shared_ptr<Task> next;
    std::optional<Instant> when;
    for (const auto& task : tasks_) {
      const auto due = task->due();
      if (due && (!when || *due < *when)) {
        when = due;
        next = task;
      }
    }
    if (!next && until_done_) {
      stopping_ = true;
      break;
    }
    const Instant now = clock_.now();
    const Instant rested = until_done_ ? now : load_.free_at(quick_);
    const Instant begin = next ? std::max(*when, rested) : patience;
    if (next && begin <= now) return next;
    if (now >= patience) return nullptr;
    changed_.wait_for(lock, std::min(begin - now, kClockPoll));
  }
  return nullptr;
}

void LaneThread::run() {
  for (;;) {
    const std::shared_ptr<Task> task = wait_for_due();
    if (task) {
      const Seconds busy = task->step();
      load_.spent(quick_, busy, clock_.now());
    }
    between_();
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
  }
}

}  // namespace pg_integrity
