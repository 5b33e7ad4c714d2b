// Keys that a service hands out for a while: by a web identity token (a pod's account), by a
// container's address, or by the metadata of an instance. All of them block.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/bucket.h"
#include "exporter/buckets/credentials.h"

namespace pg_integrity {

/// AssumeRoleWithWebIdentity, as AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN ask for it. Empty if
/// they are not set.
/// @param region of the service.
/// @throws SourceError
std::optional<Credentials> web_identity_credentials(const std::string& region);

/// From the address in AWS_CONTAINER_CREDENTIALS_FULL_URI or …_RELATIVE_URI. Empty if neither is
/// set.
/// @throws SourceError
std::optional<Credentials> container_credentials();

/// From the metadata service of the instance (version 2). Empty if there is no such service, or it
/// has no role.
/// @throws SourceError if it is there and fails.
std::optional<Credentials> instance_credentials();

/// The answer of these services in JSON.
/// @throws SourceError{decode}
Credentials credentials_in_json(std::string_view text);

/// The answer of AssumeRoleWithWebIdentity.
/// @throws SourceError{decode}
Credentials credentials_in_xml(std::string_view text);

}  // namespace pg_integrity
