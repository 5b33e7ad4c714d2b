// What a lane does: tasks, each a step at a time.
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

  /// When the next step is due; nothing: never again. Safe on any thread.
  [[nodiscard]] virtual std::optional<Instant> due() const = 0;
  /// Makes one step. Called by the task's lane only. @return how long a session was busy for it.
  virtual Seconds step() = 0;
  /// The server was found to be out of reach: whoever relied on it finds out now. Safe on any
  /// thread.
  virtual void server_lost() = 0;
  /// Another cluster answers, what was known of the old one is forgotten: all look anew. Safe on
  /// any thread.
  virtual void evidence_lost() = 0;
};

}  // namespace pg_integrity
