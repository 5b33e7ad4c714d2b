// Converts wall-clock times of a state file to instants of this process. If the file comes from the
// future, by more than 10 s, the wall clock was set back. Nobody knows by how much, so nothing in
// the file counts as recent. Safe on any thread.
#pragma once

#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"

namespace pg_integrity {

class RecordedTimes {
 public:
  /// @param saved_at the time at which the file was written.
  /// @param clock must outlive this object.
  RecordedTimes(UnixTime saved_at, const Clock& clock);

  [[nodiscard]] bool clock_was_set_back() const { return set_back_ > Seconds(0); }

  /// The start of something whose age grows. Its age is now at least the age that it had when the
  /// file was written.
  [[nodiscard]] Instant since(UnixTime recorded) const;
  /// As since(), but not later than now.
  [[nodiscard]] Instant past(UnixTime recorded) const;
  /// The time of an observation. A year is added to its age if the clock was set back.
  [[nodiscard]] Instant look(UnixTime recorded) const;

 private:
  const Clock& clock_;
  Seconds set_back_{0};
};

}  // namespace pg_integrity
