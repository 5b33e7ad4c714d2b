// Keys for object storages, from where programs for AWS look for them. They are never logged nor
// shown. Functions that read files block.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/bucket.h"
#include "collectors/base/instant.h"

namespace pg_integrity {

struct Credentials {
  std::string key_id;
  std::string secret;
  std::string session_token{};  ///< of temporary ones; else empty
  std::optional<UnixTime> expires{};

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

/// The variable of the environment; empty if it is not set.
std::string environment(const char* name);

/// The region that the environment names; empty if it names none.
std::string environment_region();

/// The credentials of a profile in the text of a file such as ~/.aws/credentials. Empty if the
/// profile is not there or lacks a key.
std::optional<Credentials> credentials_in(std::string_view text, std::string_view profile);

/// Looks in the bucket's own file or profile. If it names none, it looks where programs for AWS do,
/// in this order: AWS_ACCESS_KEY_ID and its kin, a web identity token, the file of
/// AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials), the container's address, the metadata of the
/// instance. Blocks.
/// @throws SourceError
Credentials find_credentials(const Bucket& bucket);

}  // namespace pg_integrity
