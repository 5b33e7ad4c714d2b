// Renders the body of the page on a thread of its own, so that a scrape only reads memory. It
// renders when evidence has changed or some of it has become too old, at most once a second and at
// least every half minute. Safe on any thread.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "exporter/evidence/evidence.h"
#include "exporter/evidence/news.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/io/condition.h"
#include "exporter/io/mutex.h"
#include "exporter/metrics/page.h"

namespace pg_integrity {

class Publisher {
 public:
  /// @param evidence returns the evidence in force. After a reload this may be another one.
  /// @param news announces that this evidence has changed, or that another one is in force.
  /// @param rendered is called with each snapshot that the page shows from then on. The first call
  /// comes from this constructor, the others from the thread.
  Publisher(std::function<std::shared_ptr<const Evidence>()> evidence, const WaitableClock& clock,
            News& news, std::function<void(const Snapshot& snapshot)> rendered = {});
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  [[nodiscard]] std::shared_ptr<const PageBody> body() const;

 private:
  void work();
  /// @return false when the thread is to end.
  bool wait_for_news(Instant not_before);
  void render(const Evidence& evidence);

  const std::function<std::shared_ptr<const Evidence>()> evidence_;
  const std::function<void(const Snapshot&)> rendered_;
  const WaitableClock& clock_;
  mutable Mutex mutex_;
  Condition changed_;
  std::shared_ptr<const PageBody> body_ GUARDED_BY(mutex_);
  bool has_news_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  const News::Listener listener_;
  std::thread thread_;
};

}  // namespace pg_integrity
