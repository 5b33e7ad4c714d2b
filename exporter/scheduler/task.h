// A task of a lane. The lane makes its steps, one at a time.
#pragma once

#include <optional>

#include "collectors/base/instant.h"

namespace pg_integrity {

class Task {
 public:
  virtual ~Task() = default;
  Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  /// When the next step is due, or nothing if there will be none. Safe on any thread.
  [[nodiscard]] virtual std::optional<Instant> due() const = 0;
  /// Makes one step. Only the task's lane calls it.
  /// @return how long a session was busy for it.
  virtual Seconds step() = 0;
  /// Tells the task that its database may be out of reach. A task that relies on a session becomes
  /// due now, and so finds out itself. Safe on any thread.
  virtual void server_lost() = 0;
  /// Tells the task that another cluster answers and the old one's evidence is dropped. It becomes
  /// due now. Safe on any thread.
  virtual void evidence_lost() = 0;
};

}  // namespace pg_integrity
