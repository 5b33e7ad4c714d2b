// The schedule of a backup kind: at an interval, or at wall-clock times. Plain values; safe on any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/instant.h"

namespace pg_integrity {

/// A wall-clock time at which a backup begins, every day or every week.
struct Anchor {
  std::optional<unsigned> weekday;  ///< 0 is Sunday; empty means every day
  unsigned minute = 0;              ///< of the day, below 1440

  /// Whether both fall on the same time on some day.
  [[nodiscard]] bool meets(const Anchor& other) const {
    return minute == other.minute && (!weekday || !other.weekday || weekday == other.weekday);
  }
};

/// Parses "03:00" or "Sun 03:00". Empty for any other text.
std::optional<Anchor> parse_anchor(std::string_view text);

/// "03:00" or "Sun 03:00", as parse_anchor() takes it.
std::string text_of(const Anchor& anchor);

/// An object without `every` and without `anchors` promises no schedule.
struct BackupSchedule {
  std::optional<Seconds> every;  ///< or `anchors`
  std::vector<Anchor> anchors;
  std::string zone;  ///< zone of the anchors, an IANA name
  Seconds grace{};   ///< how late a backup may be

  [[nodiscard]] bool promised() const { return every || !anchors.empty(); }
  /// The longest time between two runs. With anchors, days on which clocks change are left out of
  /// account. This function and the next two need a promised schedule.
  [[nodiscard]] Seconds longest_gap() const;
  [[nodiscard]] Seconds shortest_gap() const;
  /// The greatest age that the newest backup may reach. Anchors add one hour, for the night in
  /// which clocks are put back.
  [[nodiscard]] Seconds max_age() const;
  /// "every 1d" or "at 03:00, Sun 15:00 (Europe/Berlin)". Empty if no schedule is promised.
  [[nodiscard]] std::string text() const;
};

}  // namespace pg_integrity
