// When backups of a kind are due: so often, or when a clock on the wall says so. Plain values; safe
// on any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/instant.h"

namespace pg_integrity {

/// A time on the wall at which a backup begins, every day or every week.
struct Anchor {
  std::optional<unsigned> weekday;  ///< 0: Sunday; nothing: every day
  unsigned minute = 0;              ///< of the day, below 1440

  /// They are the same on some day.
  [[nodiscard]] bool meets(const Anchor& other) const {
    return minute == other.minute && (!weekday || !other.weekday || weekday == other.weekday);
  }
};

/// "03:00", "Sun 03:00"; nothing if it is neither.
std::optional<Anchor> parse_anchor(std::string_view text);

/// Nothing in it: no schedule is promised.
struct BackupSchedule {
  std::optional<Seconds> every;  ///< or `anchors`
  std::vector<Anchor> anchors;
  std::string zone;  ///< of the anchors, an IANA name
  Seconds grace{};   ///< how late a backup may be

  [[nodiscard]] bool promised() const { return every || !anchors.empty(); }
  /// Between two runs, the longest; with anchors, when no clock is put forward or back. Of a
  /// schedule that is promised, as all that follows.
  [[nodiscard]] Seconds longest_gap() const;
  [[nodiscard]] Seconds shortest_gap() const;
  /// How old the newest backup may become. With anchors an hour more: for the night in which clocks
  /// are put back.
  [[nodiscard]] Seconds max_age() const;
};

}  // namespace pg_integrity
