// The configuration file: TOML in, Options out. Every fault is reported, all at once, as
// file:line:column: what is wrong. HINT: what to do.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "exporter/config/options.h"

namespace pg_integrity {

/// Options, or the lines that say what is wrong.
using ReadOptions = std::variant<Options, std::vector<std::string>>;

ReadOptions read_configuration(const std::string& path);

/// The configuration that no file gives: one server by DATA_SOURCE_NAME or libpq's environment.
ReadOptions configuration_from_environment();

}  // namespace pg_integrity
