// The references: every metric, collector and configuration key, from the declarations themselves.
// Pure functions; safe on any thread.
#pragma once

#include <string>

namespace pg_integrity {

std::string catalogue_as_markdown();
std::string catalogue_as_json();

}  // namespace pg_integrity
