// A session that an interruption of a drill ends, whatever statement it waits for.
#pragma once

#include <memory>

#include "exporter/config/options.h"
#include "exporter/io/child_process.h"
#include "exporter/postgres/live_session.h"
#include "exporter/scheduler/runtime.h"

namespace pg_integrity {

class BoundSession {
 public:
  /// @param parallel_workers that the server may use for one statement.
  /// @throws SourceError
  BoundSession(const ConnectionOptions& connection, Children& children, ProcessResources& resources,
               int parallel_workers = 0);

  LiveSession& operator*() const { return *session_; }
  LiveSession* operator->() const { return session_.get(); }

 private:
  std::unique_ptr<LiveSession> session_;
  Children::Guard guard_;  // uses the session
};

}  // namespace pg_integrity
