// Every collector there is, in one explicit list sorted by name.
#pragma once

#include <span>
#include <string_view>

#include "collectors/collector.h"
#include "collectors/reads.h"

namespace pg_integrity {

std::span<const CollectorSpec* const> collectors();

/// @return nullptr if there is none of that name.
const CollectorSpec* collector_named(std::string_view name);

/// What a collector of the list reads.
ReadsOf reads_of(const CollectorSpec& spec);

}  // namespace pg_integrity
