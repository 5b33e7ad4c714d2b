// Members that a mutex guards, read and written without it: clang-tidy must complain, or it checks
// no lock of the house. tests/run.sh holds it to that. No part of any program.
#include "collectors/base/thread_annotations.h"
#include "exporter/io/condition.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

class Counter {
 public:
  void count() { ++counted_; }
  void wait() { changed_.wait(mutex_); }
  int counted() {
    const MutexLock lock(mutex_);
    return counted_;
  }

 private:
  Mutex mutex_;
  Condition changed_;
  int counted_ GUARDED_BY(mutex_) = 0;
};

}  // namespace pg_integrity
