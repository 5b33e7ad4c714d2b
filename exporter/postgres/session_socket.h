// The connection beneath a session, separate from the library that talks over it. Any thread can
// cut it off, and watch it until the server has closed it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <optional>

#include "collectors/ports/clock.h"
#include "exporter/postgres/live_session.h"

namespace pg_integrity {

/// Our own descriptor of libpq's connection. Nobody else closes it. Safe on any thread. No call
/// blocks.
class SessionSocket {
 public:
  /// @param original libpq's socket, which libpq keeps.
  /// @param backend_pid the server process as the server numbers it.
  /// @throws SourceError{limit} if the process has no file descriptor left. Without one nobody
  /// could cut the session off, so it must not exist.
  SessionSocket(int original, int backend_pid);
  ~SessionSocket();
  SessionSocket(const SessionSocket&) = delete;
  SessionSocket& operator=(const SessionSocket&) = delete;

  /// Shuts the connection down, so that a call that waits on it fails at once.
  void shut_down();
  /// @return true once shut_down() was called.
  [[nodiscard]] bool cut() const { return cut_; }

  /// @return true if the server has neither closed the connection nor sent anything unasked.
  [[nodiscard]] bool quiet() const;

  /// Call it after the end on our side. For a Unix socket it watches the server process, because
  /// that socket does not tell.
  /// @return whether the connection is closed on both sides, or our side has given it up; nothing
  /// if the server process is not visible.
  [[nodiscard]] std::optional<bool> closed() const;

  /// @return true if TCP ended the connection on our side because no answer came any more. The
  /// server may still take it for open.
  [[nodiscard]] bool given_up() const;

 private:
  const int descriptor_;
  const pid_t backend_;  ///< 0: not visible from here
  std::atomic<bool> cut_ = false;
};

/// The rest of a session that was cut off, or whose connection TCP gave up. After the latter its
/// slot is held for as long as the server may take to notice (kServerNotices). If its end cannot be
/// seen, its slot is held for ten minutes. The clock must outlive it.
std::unique_ptr<AbandonedSession> abandoned(std::shared_ptr<const SessionSocket> socket,
                                            const Clock& clock);

/// Blocks until the server has let go of the session. Nobody may wait for this thread.
void wait_until_gone(AbandonedSession& session);

}  // namespace pg_integrity
