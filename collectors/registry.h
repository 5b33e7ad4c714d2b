// All collectors, sorted by name. The build writes the list. Constant; safe on any thread.
#pragma once

#include <span>
#include <string_view>

#include "collectors/collector.h"

namespace pg_integrity {

std::span<const CollectorSpec* const> collectors();

/// @return nullptr if no collector has that name.
const CollectorSpec* collector_named(std::string_view name);

}  // namespace pg_integrity
