// Programs that collectors run, as children on disposable workers. A program that hangs is killed.
// It costs a deadline and does not block a lane.
#pragma once

#include "collectors/base/instant.h"
#include "collectors/ports/processes.h"
#include "exporter/io/disposable_workers.h"

namespace pg_integrity {

/// Valid for one step. Every call ends at that step's deadline or at its own time-out.
class WorkerPrograms final : public Processes {
 public:
  WorkerPrograms(DisposableWorkers& workers, Instant deadline)
      : workers_(workers), deadline_(deadline) {}

  std::string output(const ProgramRequest& request) override;

 private:
  DisposableWorkers& workers_;
  Instant deadline_;
};

}  // namespace pg_integrity
