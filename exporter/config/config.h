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

/// The configuration without a file. It has one server, from DATA_SOURCE_NAME or from libpq's
/// environment.
ReadOptions configuration_from_environment();

}  // namespace pg_integrity
