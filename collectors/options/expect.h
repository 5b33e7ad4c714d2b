// The objects that must exist: `expect` of [[server]]. Plain values; pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/base/settings.h"

namespace pg_integrity {

/// The objects that are pinned. All others are learned.
struct Expect {
  /// The least number of objects per type, such as ("tables", 15).
  std::vector<std::pair<std::string, double>> numbers;
  /// Names and globs, such as "table public.orders" or "trigger public.orders.audit*".
  std::vector<std::string> objects;

  bool operator==(const Expect&) const = default;
};

/// The kinds of objects, as `expect`, `accept` and reports write them.
inline constexpr std::string_view kObjectKinds[] = {
    "table", "sequence", "primary_key", "unique_key",   "foreign_key", "exclusion",
    "check", "not_null", "trigger",     "unique_index", "index"};

/// The option, as data.
std::span<const Option> expect_options();

/// @param server the complete settings of one server.
Expect expect_from(const Settings& server);

/// Finds objects that begin with no kind or have no schema.
void check_expect(const Settings& server, Problems& problems);

}  // namespace pg_integrity
