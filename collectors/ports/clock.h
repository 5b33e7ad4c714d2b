// The time, monotonic and on the wall.
#pragma once

#include <optional>
#include <string>

#include "collectors/base/instant.h"

namespace pg_integrity {

/// The time. Safe on any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

  [[nodiscard]] virtual Instant now() const = 0;
  [[nodiscard]] virtual UnixTime unix_now() const = 0;
  /// Converts a wall-clock reading "YYYY-MM-DD HH:MM:SS" in an IANA zone. An ambiguous reading
  /// gives the earlier moment. Empty if the text is not valid or the zone is unknown.
  [[nodiscard]] virtual std::optional<UnixTime> to_unix(const std::string& local,
                                                        const std::string& zone) const = 0;

  [[nodiscard]] UnixTime to_unix(Instant when) const { return unix_now() - (now() - when).count(); }
  [[nodiscard]] Instant from_unix(UnixTime when) const {
    return now() - Seconds(unix_now() - when);
  }
};

}  // namespace pg_integrity
