// What an operator may have overlooked: secrets that everybody can read, and too much power.
#pragma once

#include <string>
#include <vector>

#include "exporter/config/options.h"

namespace pg_integrity {

/// One line with a hint for each. Blocks, as it looks at the files.
/// @param config_path empty: there is no file.
std::vector<std::string> precautions(const Options& options, const std::string& config_path);

}  // namespace pg_integrity
