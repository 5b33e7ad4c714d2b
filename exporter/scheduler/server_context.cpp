#include "exporter/scheduler/server_context.h"

namespace pg_integrity {

std::shared_ptr<SharedReads> DatabaseContext::reads(Era era) {
  const MutexLock lock(mutex_);
  if (!reads_ || era_ != era) {
    reads_ = std::make_shared<SharedReads>(exclude_, plan_);
    era_ = era;
  }
  return reads_;
}

}  // namespace pg_integrity
