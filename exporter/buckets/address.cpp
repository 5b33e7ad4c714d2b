#include "exporter/buckets/address.h"

#include <fmt/format.h>

#include "exporter/buckets/listing.h"

namespace pg_integrity {

namespace {

constexpr const char* kUsualRegion = "us-east-1";

/// A name with a dot does not fit the certificate for names of one part.
bool fits_host(const std::string& name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-";
  return name.find_first_not_of(kLetters) == std::string::npos;
}

Url endpoint_of(const Bucket& bucket, const std::string& region) {
  if (bucket.endpoint) return *bucket.endpoint;
  const std::string domain = region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return {"https", fmt::format("s3.{}.{}", region, domain), 443, "/"};
}

}  // namespace

std::string percent_encoded(std::string_view text, bool keep_slashes) {
  constexpr std::string_view kKept =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (kKept.find(c) != std::string_view::npos || (keep_slashes && c == '/'))
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

BucketAddress address_of(const Bucket& bucket, const std::string& region) {
  BucketAddress address;
  address.region = !bucket.region.empty() ? bucket.region : region.empty() ? kUsualRegion : region;
  address.url = endpoint_of(bucket, address.region);
  std::string path = address.url.target;
  while (path.ends_with('/')) path.pop_back();
  const bool in_path =
      bucket.path_style.value_or(bucket.endpoint.has_value() || !fits_host(bucket.name));
  if (in_path)
    path += "/" + percent_encoded(bucket.name, false);
  else
    address.url.host = bucket.name + "." + address.url.host;
  address.url.target = path;
  return address;
}

Url listing_url(const BucketAddress& address, const std::string& prefix, const std::string& token) {
  Url url = address.url;
  if (url.target.empty()) url.target = "/";
  // Sorted by name, and each with a value: libcurl 7.88 signs the query as it is.
  url.target += "?";
  if (!token.empty()) url.target += "continuation-token=" + percent_encoded(token, false) + "&";
  url.target += fmt::format("encoding-type=url&list-type=2&max-keys={}&prefix={}", kPageObjects,
                            percent_encoded(prefix, false));
  return url;
}

Url object_url(const BucketAddress& address, const std::string& key) {
  Url url = address.url;
  url.target += "/" + percent_encoded(key, true);
  return url;
}

}  // namespace pg_integrity
