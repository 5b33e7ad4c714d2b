#include "exporter/metrics/publisher.h"

#include <algorithm>
#include <utility>

namespace pg_integrity {

namespace {

constexpr Seconds kBetweenBodies{1};

}  // namespace

Publisher::Publisher(std::function<std::shared_ptr<const Evidence>()> evidence,
                     const WaitableClock& clock, News& news,
                     std::function<void(const Snapshot&)> rendered)
    : evidence_(std::move(evidence)),
      rendered_(std::move(rendered)),
      clock_(clock),
      listener_(news, [this] {
        const MutexLock lock(mutex_);
        if (!std::exchange(has_news_, true)) changed_.notify_all();
      }) {
  render(*evidence_());
  thread_ = std::thread([this] { work(); });
}

Publisher::~Publisher() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::shared_ptr<const PageBody> Publisher::body() const {
  const MutexLock lock(mutex_);
  return body_;
}

void Publisher::render(const Evidence& evidence) {
  const auto snapshot = evidence.snapshot();
  auto body = std::make_shared<const PageBody>(snapshot, clock_);
  {
    const MutexLock lock(mutex_);
    body_ = std::move(body);
  }
  if (rendered_) rendered_(*snapshot);
}

bool Publisher::wait_for_news(Instant not_before) {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    const Instant due = has_news_ ? not_before : std::max(not_before, body_->expires());
    if (due <= clock_.now()) break;
    changed_.wait_until(mutex_, clock_, due);
  }
  has_news_ = false;
  return !stopping_;
}

void Publisher::work() {
  for (Instant rendered{}; wait_for_news(rendered + kBetweenBodies); rendered = clock_.now())
    render(*evidence_());
}

}  // namespace pg_integrity
