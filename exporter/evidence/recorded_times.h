// Wall-clock times of a state file as moments of this process. If the file was written later than
// it is now, the wall clock was set back, nobody knows by how much: nothing in it counts as recent.
#pragma once

#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"

namespace pg_integrity {

class RecordedTimes {
 public:
  /// @param saved_at when the file was written. The clock must outlive this.
  RecordedTimes(UnixTime saved_at, const Clock& clock);

  [[nodiscard]] bool clock_was_set_back() const { return set_back_ > Seconds(0); }

  /// The beginning of something that grows older: at least as long ago as when it was recorded.
  [[nodiscard]] Instant since(UnixTime recorded) const;
  /// As since(), and never later than now.
  [[nodiscard]] Instant past(UnixTime recorded) const;
  /// When somebody looked.
  [[nodiscard]] Instant look(UnixTime recorded) const;

 private:
  const Clock& clock_;
  Seconds set_back_{0};
};

}  // namespace pg_integrity
