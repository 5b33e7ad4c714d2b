// Reads the configuration file and makes Options of it. All faults are reported at once. Each one
// is a line "file:line:column: fault. HINT: remedy".
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "collectors/base/settings.h"
#include "exporter/config/options.h"

namespace pg_integrity {

/// Options, or one line for each fault.
using ReadOptions = std::variant<Options, std::vector<std::string>>;

ReadOptions read_configuration(const std::string& path);

/// Reports records of `accept` whose object no collector could have.
void check_accepted(const Settings& settings, Problems& problems);

/// Where packages put the configuration.
inline constexpr const char* kStandardConfiguration = "/etc/pg_integrity_exporter/config.toml";

/// The file to read if the user names none.
/// @param path is for tests.
/// @return empty if that file does not exist, or if DATA_SOURCE_NAME or DATA_SOURCE_URI names a
/// server. A file that exists and cannot be read is returned, so that the user learns of it.
std::string standard_configuration(const std::string& path = kStandardConfiguration);

/// The configuration without a file. It has one server, from DATA_SOURCE_NAME, from DATA_SOURCE_URI
/// with _USER and _PASS, or from libpq's environment.
ReadOptions configuration_from_environment();

}  // namespace pg_integrity
