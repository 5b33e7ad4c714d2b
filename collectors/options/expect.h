// The objects that must exist: `expect` of [[server]]. Plain values; pure functions.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "collectors/base/settings.h"

namespace pg_integrity {

/// The least number of objects per type, such as ("tables", 15). The number of a type that is not
/// listed is learned.
using Expect = std::vector<std::pair<std::string, double>>;

/// The option, as data.
std::span<const Option> expect_options();

/// @param server the complete settings of one server.
Expect expect_from(const Settings& server);

}  // namespace pg_integrity
