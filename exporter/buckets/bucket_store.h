// The buckets of one server: what is known of them beyond a step, and how a step reads them.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "collectors/ports/buckets.h"
#include "collectors/ports/clock.h"
#include "exporter/buckets/bucket_files.h"
#include "exporter/buckets/bucket_state.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

/// Safe on any thread.
class BucketStore {
 public:
  /// The state of the source's bucket. The same one as long as the store lives.
  std::shared_ptr<BucketState> of(const Bucket& bucket);

 private:
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<BucketState>> states_ GUARDED_BY(mutex_);  ///< by source
};

/// Valid for one step. Every call ends at that step's deadline.
class WorkerBuckets final : public Buckets {
 public:
  WorkerBuckets(BucketStore& store, DisposableWorkers& workers, const Clock& clock,
                Instant deadline)
      : store_(store), workers_(workers), clock_(clock), deadline_(deadline) {}

  Files& files(const Bucket& bucket) override;
  BucketUse take_use(const Bucket& bucket) override { return store_.of(bucket)->take_use(); }
  [[nodiscard]] bool has_to_spare(const Bucket& bucket) override {
    return store_.of(bucket)->has_to_spare(clock_);
  }

 private:
  BucketStore& store_;
  DisposableWorkers& workers_;
  const Clock& clock_;
  const Instant deadline_;
  std::map<std::string, std::unique_ptr<BucketFiles>> files_;  ///< by source
};

}  // namespace pg_integrity
