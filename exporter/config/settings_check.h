// Fills in the defaults of settings, and finds faults that a single option cannot show. Pure
// functions.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/settings.h"
#include "collectors/collector.h"

namespace pg_integrity {

/// Fills in defaults and reports required options that are missing, in all nested tables, too.
/// @param where the place in words, for messages: "at the top of the file".
void complete(Settings& settings, std::span<const Option> options, const std::string& where,
              Problems& problems);

/// The values that tell one table of an array from another.
using Names = std::vector<std::string>;

/// Reports tables of one array that have the same names.
void refuse_twins(const Settings& settings, std::string_view option,
                  const std::function<Names(const Settings&)>& names_of, Problems& problems);

/// Reports tables whose series would be the same. Such tables agree in name, in database and in the
/// other labels that they give the object.
void refuse_twins(const CollectorSpec& spec, const Settings& settings,
                  const std::string& home_database, Problems& problems);

}  // namespace pg_integrity
