// Networks, written as PostgreSQL's type inet reads them. Pure functions.
#pragma once

#include <string_view>

namespace pg_integrity {

/// Whether the text is an IPv4 or IPv6 address, with or without a prefix length: "10.0.0.0/8",
/// "::1".
bool is_network(std::string_view text);

}  // namespace pg_integrity
