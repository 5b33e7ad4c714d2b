// The allow-lists of a server, from `allow` of [[server]]. All collectors that need them share
// them. Plain values; pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collectors/base/settings.h"

namespace pg_integrity {

/// Names or globs. An empty optional means that the user gave no list and nobody is judged.
using AllowList = std::optional<std::vector<std::string>>;

struct Allow {
  bool given = false;  ///< the configuration has an `allow`, even an empty one
  AllowList writers;
  AllowList superusers;
  AllowList users;
  AllowList networks;  ///< as CIDR
};

/// The option, as data.
std::span<const Option> allow_options();

/// @param server the complete settings of one server.
Allow allow_from(const Settings& server);

/// Finds faults that single options cannot show.
void check_allow(const Settings& server, Problems& problems);

}  // namespace pg_integrity
