// Renders the body of the page when something changed, at most once a second, so that a scrape only
// reads memory. Safe on any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "collectors/ports/clock.h"
#include "exporter/evidence/evidence.h"
#include "exporter/metrics/page.h"

namespace pg_integrity {

class Publisher {
 public:
  /// @param evidence gives the evidence in force; it may be another one after a reload.
  Publisher(std::function<std::shared_ptr<const Evidence>()> evidence, const Clock& clock);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  [[nodiscard]] std::shared_ptr<const PageBody> body() const;

 private:
  void work();
  void render(const Evidence& evidence);

  const std::function<std::shared_ptr<const Evidence>()> evidence_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const PageBody> body_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pg_integrity
