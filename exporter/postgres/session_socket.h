// The connection beneath a session, beside the library that talks over it: cut off from any thread,
// and watched until the server lets go of it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <optional>

#include "collectors/ports/clock.h"
#include "exporter/postgres/live_session.h"

namespace pg_integrity {

/// A socket of our own beside libpq's: the same connection under a number that nobody else closes.
/// Safe on any thread; nothing here blocks.
class SessionSocket {
 public:
  /// @param original libpq's socket; not taken over.
  /// @param backend_pid the server process as the server numbers it.
  /// @throws SourceError{limit} if the process has no file descriptor left: a session that nobody
  /// could cut off must not be.
  SessionSocket(int original, int backend_pid);
  ~SessionSocket();
  SessionSocket(const SessionSocket&) = delete;
  SessionSocket& operator=(const SessionSocket&) = delete;

  /// Whatever waits on the connection fails at once.
  void shut_down();
  /// shut_down() was called.
  [[nodiscard]] bool cut() const { return cut_; }

  /// Nothing is to be read: the server has neither closed the connection nor said anything unasked.
  [[nodiscard]] bool quiet() const;

  /// After shut_down(): the other end has closed too. A Unix socket does not tell; there the
  /// process is watched, if it is visible. Nothing: it cannot be seen.
  [[nodiscard]] std::optional<bool> closed_by_server() const;

 private:
  const int descriptor_;
  const pid_t backend_;  ///< 0: not visible from here
  std::atomic<bool> cut_ = false;
};

/// What is left of a session that was cut off. Where its end cannot be seen its slot is held for
/// ten minutes. The clock must outlive it.
std::unique_ptr<AbandonedSession> abandoned(std::shared_ptr<const SessionSocket> socket,
                                            const Clock& clock);

}  // namespace pg_integrity
