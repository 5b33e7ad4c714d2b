// Every key of the configuration as one tree of options: the program's own and those of the
// collectors. Reading, hints and the reference all follow from it. Constant after the first call;
// safe on any thread.
#pragma once

#include <span>

#include "collectors/base/settings.h"

namespace pg_integrity {

/// The keys at the top of the file.
std::span<const Option> configuration_options();

/// The keys of one [[server]].
std::span<const Option> server_options();

}  // namespace pg_integrity
