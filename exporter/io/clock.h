// The real time. Instants come from CLOCK_BOOTTIME, Unix time from CLOCK_REALTIME, and zones from
// the system's tzdata. Safe on any thread.
#pragma once

#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"
#include "exporter/io/condition.h"

namespace pg_integrity {

class SystemClock final : public WaitableClock {
 public:
  [[nodiscard]] Instant now() const override;
  [[nodiscard]] UnixTime unix_now() const override;
  [[nodiscard]] std::optional<UnixTime> to_unix(const std::string& local,
                                                const std::string& zone) const override;
  using Clock::to_unix;
};

/// The system knows an IANA zone of that name.
bool is_known_zone(const std::string& zone);

/// "2025-12-03T00:00:00Z", rounded down to the second.
std::string format_utc(UnixTime time);

}  // namespace pg_integrity
