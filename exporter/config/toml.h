// Reads TOML files against an option tree into Settings, with toml++. Safe on any thread.
#pragma once

#include <span>
#include <string>

#include "collectors/base/settings.h"

namespace pg_integrity {

/// The settings of the file, without defaults. Faults go to `problems`. Before anything is parsed,
/// a file is refused if it is not a regular file or is larger than 1 MiB. It is also refused if it
/// contains a NUL or a line over 8 KiB.
Settings read_toml(const std::string& path, std::span<const Option> options, Problems& problems);

}  // namespace pg_integrity
