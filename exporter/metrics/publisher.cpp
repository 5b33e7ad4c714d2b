#include "exporter/metrics/publisher.h"

#include <utility>

#include "collectors/ports/clock.h"

namespace pg_integrity {

namespace {

constexpr std::chrono::milliseconds kBetweenBodies{1000};
constexpr std::chrono::milliseconds kBetweenLooks{100};

}  // namespace

Publisher::Publisher(std::function<std::shared_ptr<const Evidence>()> evidence, const Clock& clock)
    : evidence_(std::move(evidence)), clock_(clock) {
  render(*evidence_());
  thread_ = std::thread([this] { work(); });
}

Publisher::~Publisher() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::shared_ptr<const PageBody> Publisher::body() const {
  const std::lock_guard lock(mutex_);
  return body_;
}

void Publisher::render(const Evidence& evidence) {
  auto body = std::make_shared<const PageBody>(evidence.snapshot(), clock_);
  const std::lock_guard lock(mutex_);
  body_ = std::move(body);
}

void Publisher::work() {
  std::shared_ptr<const Evidence> rendered;
  for (;;) {
    bool news = false;
    {
      const auto evidence = evidence_();
      const auto current = body();
      news = evidence != rendered || evidence->version() != current->snapshot()->version ||
             clock_.now() >= current->expires();
      if (news) render(*evidence);
      rendered = evidence;
    }
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, news ? kBetweenBodies : kBetweenLooks,
                          [this] { return stopping_; }))
      return;
  }
}

}  // namespace pg_integrity
