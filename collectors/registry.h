// Every collector there is, sorted by name. The build writes the list.
#pragma once

#include <span>
#include <string_view>

#include "collectors/collector.h"

namespace pg_integrity {

std::span<const CollectorSpec* const> collectors();

/// @return nullptr if there is none of that name.
const CollectorSpec* collector_named(std::string_view name);

}  // namespace pg_integrity
