// Requests about one bucket, each on a disposable worker, within the step's deadline and the
// bucket's budget. Signed, and refused answers translated. One thread at a time.
#pragma once

#include <memory>
#include <string>

#include "collectors/base/instant.h"
#include "exporter/buckets/bucket_state.h"
#include "exporter/buckets/listing.h"
#include "exporter/io/disposable_workers.h"

namespace pg_integrity {

class BucketClient {
 public:
  BucketClient(std::shared_ptr<BucketState> state, DisposableWorkers& workers, const Clock& clock,
               Instant deadline)
      : state_(std::move(state)), workers_(workers), clock_(clock), deadline_(deadline) {}

  struct Page {
    ListingPage page;
    UnixTime at = 0;  ///< by the storage's clock
  };

  /// A page of the listing.
  /// @param token where it begins; empty for the first one.
  /// @throws SourceError
  Page list(const std::string& token);

  /// `count` bytes of an object, from that position.
  /// @param object its key is without the prefix.
  /// @throws SourceError: missing if the object is gone or another one than was listed; io or
  /// permission if this object alone cannot be read; the others concern the whole bucket.
  std::string read(const BucketObject& object, std::size_t from, std::size_t count);

  [[nodiscard]] Seconds left() const { return deadline_ - clock_.now(); }

 private:
  /// What is asked for. It decides what a refusal means.
  enum class About : std::uint8_t { listing, object };

  HttpReceived ask(About about, const Url& url, const std::vector<std::string>& headers,
                   std::size_t max_body);
  HttpReceived send(const Url& url, const std::string& region, const Credentials& credentials,
                    const std::vector<std::string>& headers, std::size_t max_body);
  Credentials credentials();
  SourceError refusal(About about, const HttpReceived& received, const Credentials& credentials);

  const std::shared_ptr<BucketState> state_;
  DisposableWorkers& workers_;
  const Clock& clock_;
  const Instant deadline_;
  bool renewal_failed_ = false;  ///< in this step
};

}  // namespace pg_integrity
