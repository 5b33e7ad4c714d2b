// All keys of the configuration as one tree of options, both the program's own and those of the
// collectors. The reader, its hints and the reference follow from this tree. It is built at the
// first call and constant from then on. Safe on any thread.
#pragma once

#include <span>

#include "collectors/base/settings.h"

namespace pg_integrity {

/// The keys at the top of the file.
std::span<const Option> configuration_options();

/// The keys of one [[server]].
std::span<const Option> server_options();

/// The options of a file in `servers_dir`.
std::span<const Option> server_file_options();

}  // namespace pg_integrity
