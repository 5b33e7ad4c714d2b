// What is known of a bucket beyond one step: the newest listing, what was spent, keys and open
// connections. Safe on any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/bucket.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "collectors/ports/buckets.h"
#include "collectors/ports/clock.h"
#include "exporter/buckets/credentials.h"
#include "exporter/buckets/listing.h"
#include "exporter/io/http_exchange.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

/// All objects below the prefix.
struct BucketListing {
  std::vector<BucketObject> objects;  ///< sorted; the keys are without the prefix
  Instant taken{};                    ///< when its last page came
  UnixTime taken_at = 0;              ///< the same, by the storage's clock
};

/// A listing that has not ended yet.
struct PartialListing {
  BucketListing listing;
  std::string next;  ///< where the next page begins
  Instant began{};
};

class BucketState {
 public:
  explicit BucketState(Bucket bucket) : bucket_(std::move(bucket)) {}

  [[nodiscard]] const Bucket& bucket() const { return bucket_; }

  /// Counts a request before it is made.
  /// @throws SourceError{limit} if the day's budget is spent; the storage's own error while it asks
  /// to be left alone.
  void spend_request(const Clock& clock);
  void note_received(std::size_t bytes);
  /// The storage is overloaded. Each time in a row it is left alone for longer.
  /// @param at_least how long it asks for.
  void leave_alone(const Clock& clock, Seconds at_least, const SourceError& why);
  void note_answer();  ///< it is not overloaded
  [[nodiscard]] BucketUse take_use();
  [[nodiscard]] bool has_to_spare(const Clock& clock);

  /// @return an open connection, or a new one.
  [[nodiscard]] std::shared_ptr<HttpConnection> take_connection();
  void give_back(std::shared_ptr<HttpConnection> connection);

  [[nodiscard]] std::optional<Credentials> credentials() const;
  void keep(const Credentials& credentials);
  void forget_credentials();

  /// The newest listing, if it may be used again. nullptr if there is none.
  [[nodiscard]] std::shared_ptr<const BucketListing> listing(Instant now) const;
  void keep(std::shared_ptr<const BucketListing> listing);
  void forget_listing();
  /// The listing that is under way, if it is not too old to go on with.
  [[nodiscard]] std::optional<PartialListing> take_partial(Instant now);
  void keep(PartialListing partial);

 private:
  /// Begins a new day if it is one.
  void look_at_day(const Clock& clock) REQUIRES(mutex_);

  const Bucket bucket_;
  mutable Mutex mutex_;
  double day_ GUARDED_BY(mutex_) = 0;  ///< of Unix time
  BucketUse today_ GUARDED_BY(mutex_);
  BucketUse untold_ GUARDED_BY(mutex_);
  int overloads_ GUARDED_BY(mutex_) = 0;  ///< in a row
  std::optional<std::pair<Instant, SourceError>> alone_until_ GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<HttpConnection>> idle_ GUARDED_BY(mutex_);
  std::optional<Credentials> credentials_ GUARDED_BY(mutex_);
  std::shared_ptr<const BucketListing> listing_ GUARDED_BY(mutex_);
  std::optional<PartialListing> partial_ GUARDED_BY(mutex_);
};

}  // namespace pg_integrity
