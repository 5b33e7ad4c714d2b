// A session as the runtime needs it. Beyond queries, the runtime opens, bounds and cancels
// sessions, and watches abandoned sessions until the server has closed them. exporter/postgres
// implements this with libpqxx.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "collectors/base/instant.h"
#include "collectors/ports/session.h"

namespace pg_integrity {

/// A session that was cut off at a deadline. Its server process may still run and hold one of our
/// slots.
class AbandonedSession {
 public:
  virtual ~AbandonedSession() = default;
  AbandonedSession() = default;
  AbandonedSession(const AbandonedSession&) = delete;
  AbandonedSession& operator=(const AbandonedSession&) = delete;

  /// @return true once the server has closed its side. Does not block.
  virtual bool gone() = 0;
};

/// An open session. One thread at a time, except for cancel() and cut_off().
class LiveSession : public Session {
 public:
  [[nodiscard]] virtual const std::string& database() const = 0;
  /// Sets the deadline of all statements until the next call.
  virtual void set_deadline(Instant deadline) = 0;
  /// @return true if the session is not broken and the server has not closed it. Does not block.
  [[nodiscard]] virtual bool usable() const = 0;
  /// Asks the server to cancel the running statement. Safe on any thread. Returns at once.
  virtual void cancel() = 0;
  /// Shuts the connection down, so that a call that waits on it fails at once. Safe on any thread.
  virtual void cut_off() = 0;
  /// Time spent on statements so far, as measured here.
  [[nodiscard]] virtual Seconds busy() const = 0;
  /// @return the rest of a session that was cut off or lost, nullptr if its slot is free.
  virtual std::unique_ptr<AbandonedSession> abandon() = 0;
  /// When the server began the session, by its clock and as its text. Such texts can be handed to
  /// older_sessions().
  [[nodiscard]] virtual const std::string& began() const = 0;
  /// Asks for the number of sessions of the same role and application_name that began before that
  /// moment. It is 0 behind a pooler, whose sessions with the server are not ours.
  /// @throws SourceError
  virtual std::size_t older_sessions(const std::string& moment) = 0;
};

/// Opens sessions with the databases of one server.
class Connector {
 public:
  virtual ~Connector() = default;
  Connector() = default;
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  /// Blocks for as long as the network lets it, so call it on a disposable worker. Safe on any
  /// thread.
  /// @throws SourceError with session_lost().
  virtual std::unique_ptr<LiveSession> open(const std::string& database) = 0;
};

}  // namespace pg_integrity
