// Known damage, from `accept` of [[server]]. Plain values; pure functions.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/settings.h"

namespace pg_integrity {

/// Known damage that the user accepts until a given day.
struct AcceptedDamage {
  std::string object;    ///< as the report names it: "orphans/public.child.child_fkey"
  std::string database;  ///< empty: in every database of the server
  double at_most = 0;    ///< the greatest accepted distance from the value that it should have
  UnixTime until = 0;    ///< from this time on the damage counts again
  std::string reason;    ///< shown in the report
};

/// The option, as data.
std::span<const Option> accept_options();

/// @param server the complete settings of one server.
std::vector<AcceptedDamage> accepted_from(const Settings& server);

}  // namespace pg_integrity
