// HTTP requests on disposable workers. An endpoint that hangs costs a deadline and does not block a
// lane.
#pragma once

#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/http.h"
#include "exporter/io/disposable_workers.h"

namespace pg_integrity {

/// Valid for one step. A call ends at its own time-out (reason timeout) or at the step's deadline
/// (reason limit), or at most 1 s later if libcurl hangs.
class WorkerHttp final : public Http {
 public:
  WorkerHttp(DisposableWorkers& workers, const Clock& clock, Instant deadline)
      : workers_(workers), clock_(clock), deadline_(deadline) {}

  HttpResponse get(const HttpRequest& request) override;

 private:
  DisposableWorkers& workers_;
  const Clock& clock_;
  Instant deadline_;
};

}  // namespace pg_integrity
