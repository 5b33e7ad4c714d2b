// Who may do what on a server, said once for all collectors that ask: `allow` of [[server]]. What
// is not said is not judged. Constants and pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/settings.h"

namespace pg_integrity {

inline constexpr Option kAllowLists[] = {
    {.name = "writers",
     .type = OptionType::texts,
     .help = "roles that may change data, by name or glob; superusers are not writers"},
    {.name = "superusers",
     .type = OptionType::texts,
     .help = "roles that may be superusers or become one, by name or glob"},
    {.name = "users", .type = OptionType::texts, .help = "who may be connected, by name or glob"},
    {.name = "networks",
     .type = OptionType::texts,
     .help = "from where, as CIDR such as \"10.0.0.0/8\"; Unix sockets are always inside"}};

inline constexpr Option kAllow{.name = "allow",
                               .type = OptionType::record,
                               .help = "who may do what; a list that is not given judges nobody",
                               .members = kAllowLists,
                               .home = OptionHome::server};

/// A list of `allow`; nothing where it was not given.
inline std::optional<std::vector<std::string>> allowed(const Settings& settings,
                                                       std::string_view list) {
  const Settings* allow = settings.record("allow");
  if (allow == nullptr || !allow->has(list)) return std::nullopt;
  return allow->texts(list);
}

}  // namespace pg_integrity
