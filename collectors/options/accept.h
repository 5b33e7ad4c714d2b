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
  std::string by;        ///< who accepts it, shown in the report; may be empty

  bool operator==(const AcceptedDamage&) const = default;
};

/// Known damage, with the name of its server.
struct ServerAcceptance {
  std::string server;
  AcceptedDamage damage;

  bool operator==(const ServerAcceptance&) const = default;
};

/// The option, as data.
std::span<const Option> accept_options();
/// The members of one record of that option.
std::span<const Option> accept_members();

AcceptedDamage accepted_damage_from(const Settings& record);

/// @param server the complete settings of one server.
std::vector<AcceptedDamage> accepted_from(const Settings& server);

}  // namespace pg_integrity
