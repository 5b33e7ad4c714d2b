// The connection string in variables of the environment that postgres_exporter uses as well:
// DATA_SOURCE_URI, DATA_SOURCE_USER, DATA_SOURCE_PASS, or the same with _FILE, which name a file
// with the value. Safe on any thread while nobody changes the environment.
#pragma once

#include <string>

namespace pg_integrity {

/// True if DATA_SOURCE_URI or DATA_SOURCE_URI_FILE is set.
bool has_data_source();

/// The connection string. Files are read anew, so that passwords can be replaced.
/// @throws ConfigError if a file cannot be read.
std::string data_source_now();

}  // namespace pg_integrity
