// Completes settings by their defaults, and finds what a single option cannot show. Pure functions.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/settings.h"
#include "collectors/collector.h"

namespace pg_integrity {

/// Fills in defaults and finds what is required and missing, down through all records.
/// @param where the place in words, for messages: "at the top of the file".
void complete(Settings& settings, std::span<const Option> options, const std::string& where,
              Problems& problems);

/// What tells one record of an option from another.
using Names = std::vector<std::string>;

/// Complains of records of one option that nothing tells apart.
void refuse_twins(const Settings& settings, std::string_view option,
                  const std::function<Names(const Settings&)>& names_of, Problems& problems);

/// Complains of records whose series would be the same: records with the same name, the same labels
/// that they give the object besides, and the same database.
void refuse_twins(const CollectorSpec& spec, const Settings& settings,
                  const std::string& home_database, Problems& problems);

}  // namespace pg_integrity
