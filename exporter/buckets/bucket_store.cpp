#include "exporter/buckets/bucket_store.h"

namespace pg_integrity {

std::shared_ptr<BucketState> BucketStore::of(const Bucket& bucket) {
  const MutexLock lock(mutex_);
  auto& state = states_[bucket.source];
  if (!state) state = std::make_shared<BucketState>(bucket);
  return state;
}

Files& WorkerBuckets::files(const Bucket& bucket) {
  auto& files = files_[bucket.source];
  if (!files) files = std::make_unique<BucketFiles>(store_.of(bucket), workers_, clock_, deadline_);
  return *files;
}

}  // namespace pg_integrity
