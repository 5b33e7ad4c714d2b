// Buckets of object storages, as a collector may read them. One thread at a time uses an object.
#pragma once

#include "collectors/base/bucket.h"
#include "collectors/ports/files.h"

namespace pg_integrity {

/// What reading a bucket cost.
struct BucketUse {
  double requests = 0;
  double bytes = 0;  ///< received
};

/// Buckets. Each request is bounded by its own time-out, by the deadline of the step, and by what
/// the bucket's configuration lets us spend in a day (UTC).
class Buckets {
 public:
  virtual ~Buckets() = default;
  Buckets() = default;
  Buckets(const Buckets&) = delete;
  Buckets& operator=(const Buckets&) = delete;

  /// The objects of a bucket as files. A slash in a key parts folders. The paths begin with
  /// `bucket.text()`. A listing is used again for `bucket.refresh`, and listed further in the next
  /// step if it does not end within this one (pending). Beside the reasons of files, the calls
  /// throw connect, tls, auth, timeout, protocol, decode, http, clock, config and limit.
  /// @return valid for this step.
  virtual Files& files(const Bucket& bucket) = 0;
  /// What was spent since the last call.
  virtual BucketUse take_use(const Bucket& bucket) = 0;
  /// Whether less than half of what may be spent today was spent. What can wait is read then.
  [[nodiscard]] virtual bool has_to_spare(const Bucket& bucket) = 0;
};

}  // namespace pg_integrity
