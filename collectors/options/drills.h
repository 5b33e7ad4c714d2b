// The configuration of restore drills: `drills` of [[server]]. Plain values; pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "collectors/base/instant.h"
#include "collectors/base/settings.h"

namespace pg_integrity {

/// The directory in which `drill` keeps its records, and the objectives of drills.
struct Drills {
  std::string directory;  ///< an absolute path
  Seconds max_age{};      ///< greatest age of a source's last successful drill
  std::optional<Seconds> recovery_time_objective;  ///< how long a restore may take
};

/// The option, as data.
std::span<const Option> drill_options();

/// @param server the complete settings of one server.
/// @return empty if it has no `drills`.
std::optional<Drills> drills_from(const Settings& server);

/// Finds faults that single options cannot show.
void check_drills(const Settings& server, Problems& problems);

}  // namespace pg_integrity
