// Where a bucket is, and the targets of the requests about it. All of them are encoded as
// signatures of AWS want it. Pure functions; safe on any thread.
#pragma once

#include <string>
#include <string_view>

#include "collectors/base/bucket.h"
#include "collectors/base/url.h"

namespace pg_integrity {

/// Encodes everything but letters, digits, "-", "." , "_" and "~", and slashes if they are kept.
std::string percent_encoded(std::string_view text, bool keep_slashes);

/// The storage's address for a bucket.
struct BucketAddress {
  Url url;  ///< its target is the path of the bucket itself
  std::string region;
};

/// @param region that of the environment; used where the configuration names none. May be empty.
BucketAddress address_of(const Bucket& bucket, const std::string& region);

/// The URL of a page of the listing.
/// @param token where it begins; empty for the first one.
Url listing_url(const BucketAddress& address, const std::string& prefix, const std::string& token);

Url object_url(const BucketAddress& address, const std::string& key);

}  // namespace pg_integrity
