#include "exporter/commands/sampling.h"

#include <atomic>

#include "exporter/commands/progress_line.h"
#include "exporter/io/signals.h"
#include "exporter/scheduler/scheduler.h"

namespace pg_integrity {

int sample_once(Runtime& runtime, const WaitableClock& clock, bool reading) {
  std::atomic<int> interrupted = 0;
  const SignalThread signals([&](int signal) {
    int none = 0;
    if (interrupted.compare_exchange_strong(none, signal)) runtime.scheduler().cancel();
  });
  const ProgressLine progress(*runtime.evidence(), clock);
  runtime.scheduler().run_once(reading);
  return interrupted;
}

}  // namespace pg_integrity
