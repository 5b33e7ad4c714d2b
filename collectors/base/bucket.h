// A bucket of an object storage that speaks the protocol of S3 (AWS, MinIO, Ceph, R2, B2, GCS), as
// the configuration names it. Plain values; safe on any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/instant.h"
#include "collectors/base/url.h"

namespace pg_integrity {

struct Bucket {
  std::string source;  ///< the backup source that names it; unique in its server
  std::string name;
  std::string prefix;                ///< of the keys that count; empty, or with a slash at its end
  std::optional<Url> endpoint{};     ///< nothing: that of AWS for the region
  std::string region{};              ///< empty: the environment's
  std::optional<bool> path_style{};  ///< the name is in the path, not in the host
  std::string ca_file{};             ///< certificates to trust; empty: those of the system
  std::string credentials_file{};    ///< empty, and no profile: the usual places
  std::string profile{};
  Seconds timeout{};        ///< of one request
  Seconds refresh{};        ///< how long a listing is used again
  double requests_max = 0;  ///< requests a day
  double bytes_max = 0;     ///< received bytes a day

  /// "s3://name/prefix", without a slash at its end. The paths of its objects begin so.
  [[nodiscard]] std::string text() const;
};

/// The name and the prefix of "s3://name/prefix". Empty for any other text.
std::optional<Bucket> parse_bucket(std::string_view text);

}  // namespace pg_integrity
