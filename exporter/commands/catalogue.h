// The references of every metric, collector and configuration key, made from the declarations
// themselves. Pure functions. Safe on any thread.
#pragma once

#include <string>

namespace pg_integrity {

std::string catalogue_as_markdown();
std::string catalogue_as_json();

}  // namespace pg_integrity
