// The configuration of restore drills: `drills` of [[server]]. Plain values; pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "collectors/base/instant.h"
#include "collectors/base/settings.h"

namespace pg_integrity {

/// What keeps the code of a backup away from the machine.
enum class DrillSandbox : std::uint8_t {
  bubblewrap,  ///< namespaces of their own for each program
  container,   ///< the container that `drill` runs in, if it passes checks
  none,        ///< nothing
};

/// The directory in which `drill` keeps its records, and the objectives of drills.
struct Drills {
  std::string directory;  ///< an absolute path
  Seconds max_age{};      ///< greatest age of a source's last successful drill
  std::optional<Seconds> recovery_time_objective;  ///< how long a restore may take
  DrillSandbox sandbox{};
  Seconds drill_timeout{};  ///< a drill that takes longer is ended
  double memory = 0;        ///< bytes that one program of a drill may take
};

/// The option, as data.
std::span<const Option> drill_options();

/// @param server the complete settings of one server.
/// @return empty if it has no `drills`.
std::optional<Drills> drills_from(const Settings& server);

/// Finds faults that single options cannot show.
void check_drills(const Settings& server, Problems& problems);

}  // namespace pg_integrity
