// Guesses the key that a misspelt one was meant to be. Pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "collectors/base/settings.h"

namespace pg_integrity {

/// @return a question that names the option nearest to `key`, or the names of all options if none
/// is near.
std::string key_hint(std::string_view key, std::span<const Option> options);

}  // namespace pg_integrity
