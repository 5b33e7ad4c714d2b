// TOML files read against an option tree into Settings, by toml++. Safe on any thread.
#pragma once

#include <span>
#include <string>

#include "collectors/base/settings.h"

namespace pg_integrity {

/// What the file says, without defaults; faults go to `problems`. A file that is no regular file,
/// is larger than 1 MiB, or holds a NUL or a line over 8 KiB is refused before it is parsed.
Settings read_toml(const std::string& path, std::span<const Option> options, Problems& problems);

}  // namespace pg_integrity
