// What the configuration says of restore drills: `drills` of [[server]]. Plain values; pure
// functions.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "collectors/base/instant.h"
#include "collectors/base/settings.h"

namespace pg_integrity {

/// Where `drill` keeps its records, and what is promised of drills.
struct Drills {
  std::string directory;  ///< an absolute path
  Seconds max_age{};      ///< how long ago the last successful drill of a source may be
  std::optional<Seconds> recovery_time_objective;  ///< how long a restore may take
};

/// The option, as data.
std::span<const Option> drill_options();

/// @param server complete settings of one server. Nothing if it has no `drills`.
std::optional<Drills> drills_from(const Settings& server);

/// Finds what single options cannot show.
void check_drills(const Settings& server, Problems& problems);

}  // namespace pg_integrity
