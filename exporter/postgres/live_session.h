// What the runtime needs of sessions beyond asking questions: to open them, to bound and cancel
// them, and to know what became of one that was given up. exporter/postgres implements this with
// libpqxx.
#pragma once

#include <memory>
#include <string>

#include "collectors/base/instant.h"
#include "collectors/ports/session.h"

namespace pg_integrity {

/// A session that was cut off at a deadline: its server process may still run and hold one of our
/// slots.
class AbandonedSession {
 public:
  virtual ~AbandonedSession() = default;
  AbandonedSession() = default;
  AbandonedSession(const AbandonedSession&) = delete;
  AbandonedSession& operator=(const AbandonedSession&) = delete;

  /// The server has closed its side. Does not block.
  virtual bool gone() = 0;
};

/// An open session. One thread at a time, but for cancel() and cut_off().
class LiveSession : public Session {
 public:
  [[nodiscard]] virtual const std::string& database() const = 0;
  /// Bounds every question until the next call.
  virtual void set_deadline(Instant deadline) = 0;
  /// It has not broken, and the server has not closed it meanwhile. Does not block.
  [[nodiscard]] virtual bool usable() const = 0;
  /// Asks the server to cancel what runs. Safe on any thread; returns at once.
  virtual void cancel() = 0;
  /// Shuts the connection down: whatever waits on it fails at once. Safe on any thread.
  virtual void cut_off() = 0;
  /// Server time spent so far, as seen from this side.
  [[nodiscard]] virtual Seconds busy() const = 0;
  /// What is left after the session was cut off; nullptr if its slot is free.
  virtual std::unique_ptr<AbandonedSession> abandon() = 0;
};

/// Opens sessions with the databases of one server.
class Connector {
 public:
  virtual ~Connector() = default;
  Connector() = default;
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  /// Blocks for as long as the network lets it: call it on a disposable worker. Safe on any thread.
  /// @throws SourceError with session_lost().
  virtual std::unique_ptr<LiveSession> open(const std::string& database) = 0;
};

}  // namespace pg_integrity
