// The runbook of what is wrong, and its first command. The table follows from alerts/. Pure
// functions.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

namespace pg_integrity {

struct Runbook {
  std::string_view metric;  ///< of the finding; of custom queries the prefix of all of theirs
  std::string_view side;    ///< of its limit: above, below, or any if it is empty
  std::string_view name;    ///< of the alert, and of the file
  std::string_view first_command;  ///< with labels as variables of the shell
};

/// All runbooks of findings, sorted by metric.
std::span<const Runbook> all_runbooks();

/// @param relation of a good value to the limit: "=", "<=" or ">=".
/// @return nullptr if there is none.
const Runbook* runbook_for(std::string_view metric, std::string_view relation);

/// The command with its variables set, to be pasted into a shell:
/// "export SERVER='shop' TABLE='orders'\npsql <<SQL…".
/// @param labels of the finding, with server and database. They are quoted, so that a name cannot
/// be a command.
std::string command_of(const Runbook& runbook, const std::map<std::string, std::string>& labels);

}  // namespace pg_integrity
