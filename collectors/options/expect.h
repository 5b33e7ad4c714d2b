// What must be there: `expect` of [[server]]. Plain values; pure functions.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "collectors/base/settings.h"

namespace pg_integrity {

/// The least number of objects by their type: ("tables", 15). A type that is not pinned is learned.
using Expect = std::vector<std::pair<std::string, double>>;

/// The option, as data.
std::span<const Option> expect_options();

/// @param server complete settings of one server.
Expect expect_from(const Settings& server);

}  // namespace pg_integrity
