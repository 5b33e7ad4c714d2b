// Who may do what on a server, said once for all collectors that ask: `allow` of [[server]]. What
// is not said is not judged. Constants and pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/settings.h"

namespace pg_integrity {

inline constexpr Option kAllowLists[] = {
    {.name = "writers",
     .type = OptionType::texts,
     .help = "roles that may change data, by name or glob; superusers are not writers"},
    {.name = "superusers",
     .type = OptionType::texts,
     .help = "roles that may be superusers or become one, by name or glob"}};

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
