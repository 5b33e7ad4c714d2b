// Who may do what on a server, said once for all collectors that ask: `allow` of [[server]]. Plain
// values; pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collectors/base/settings.h"

namespace pg_integrity {

/// Names or globs. A list that was not given judges nobody.
using AllowList = std::optional<std::vector<std::string>>;

struct Allow {
  bool given = false;  ///< the configuration has an `allow`, be it empty
  AllowList writers;
  AllowList superusers;
  AllowList users;
  AllowList networks;  ///< as CIDR
};

/// The option, as data.
std::span<const Option> allow_options();

/// @param server complete settings of one server.
Allow allow_from(const Settings& server);

/// Finds what single options cannot show.
void check_allow(const Settings& server, Problems& problems);

}  // namespace pg_integrity
