// HTTP requests on disposable workers: an endpoint that hangs costs a deadline, not a lane.
#pragma once

#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/http.h"
#include "exporter/io/disposable_workers.h"

namespace pg_integrity {

/// Valid for one step; every call ends at that step's deadline (limit), or at its own time-out
/// (timeout).
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
