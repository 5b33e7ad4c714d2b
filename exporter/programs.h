// Programs that collectors ask, run as children on disposable workers: one that hangs costs a
// deadline, not a lane, and is killed then.
#pragma once

#include "collectors/sources.h"
#include "exporter/workers.h"

namespace pg_integrity {

/// Valid for one step; every call ends at that step's deadline, or at its own time-out.
class WorkerProcesses final : public Processes {
 public:
  WorkerProcesses(DisposableWorkers& workers, Instant deadline)
      : workers_(workers), deadline_(deadline) {}

  std::string output(const ProgramRequest& request) override;

 private:
  DisposableWorkers& workers_;
  Instant deadline_;
};

}  // namespace pg_integrity
