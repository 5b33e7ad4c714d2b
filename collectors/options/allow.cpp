#include "collectors/options/allow.h"

#include <string_view>

#include "collectors/base/network.h"

namespace pg_integrity {

namespace {

constexpr Option kAllowLists[] = {
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

constexpr Option kAllow[] = {{.name = "allow",
                              .type = OptionType::record,
                              .help = "who may do what; a list that is not given judges nobody",
                              .members = kAllowLists}};

AllowList list_of(const Settings& allow, std::string_view name) {
  if (!allow.has(name)) return std::nullopt;
  return allow.texts(name);
}

}  // namespace

std::span<const Option> allow_options() {
  return kAllow;
}

Allow allow_from(const Settings& server) {
  const Settings* allow = server.record("allow");
  if (allow == nullptr) return {};
  return {true, list_of(*allow, "writers"), list_of(*allow, "superusers"), list_of(*allow, "users"),
          list_of(*allow, "networks")};
}

void check_allow(const Settings& server, Problems& problems) {
  const Settings* allow = server.record("allow");
  if (allow == nullptr) return;
  for (const std::string& network : allow->texts("networks"))
    if (!is_network(network))
      problems.add(allow->place("networks"), "\"" + network + "\" is no network",
                   "write it as CIDR, such as \"10.0.0.0/8\" or \"2001:db8::/32\"");
}

}  // namespace pg_integrity
