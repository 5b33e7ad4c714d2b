// What a misspelt key was meant to be. Pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "collectors/base/settings.h"

namespace pg_integrity {

/// The option whose name is nearest to `key`, as a question, or the names of all options if none is
/// near.
std::string key_hint(std::string_view key, std::span<const Option> options);

}  // namespace pg_integrity
