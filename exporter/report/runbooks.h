// The runbook of what is wrong, and its first command. The table follows from alerts/. Pure
// functions.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace pg_integrity {

struct Runbook {
  std::string_view metric;  ///< of the finding; of custom queries the prefix of all of theirs
  std::string_view side;    ///< of its limit: above, below, or any if it is empty
  std::string_view name;    ///< of the alert, and of the file
  /// For the shell, with labels as variables. Those behind the first one are for findings for which
  /// it has no names. Empty ones are none.
  std::array<std::string_view, 4> commands;
};

/// All runbooks of findings, sorted by metric.
std::span<const Runbook> all_runbooks();

/// @param relation of a good value to the limit: "=", "<=" or ">=".
/// @return nullptr if there is none.
const Runbook* runbook_for(std::string_view metric, std::string_view relation);

}  // namespace pg_integrity
