// The real clock with a hand on it: tests jump ahead instead of waiting.
#pragma once

#include <atomic>

#include "collectors/base/instant.h"
#include "exporter/io/clock.h"

namespace pg_integrity::test {

class SteppedClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return real_.now() + Seconds(ahead_.load()); }
  [[nodiscard]] UnixTime unix_now() const override {
    return real_.unix_now() + ahead_.load() + wall_only_.load();
  }
  [[nodiscard]] std::optional<UnixTime> to_unix(const std::string& local,
                                                const std::string& zone) const override {
    return real_.to_unix(local, zone);
  }
  using Clock::to_unix;

  /// Time passes.
  void advance(Seconds by) { ahead_ = ahead_.load() + by.count(); }
  /// Somebody sets the wall clock.
  void step_wall(Seconds by) { wall_only_ = wall_only_.load() + by.count(); }

 private:
  SystemClock real_;
  std::atomic<double> ahead_ = 0;
  std::atomic<double> wall_only_ = 0;
};

}  // namespace pg_integrity::test
