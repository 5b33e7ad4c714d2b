// The commands about the history of verdicts: `report`, `history export` and `history verify`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "exporter/commands/command.h"

namespace pg_integrity {

struct PeriodCommand {
  std::string config_path;
  std::string since;        ///< a duration such as "7d", or a day such as "2026-11-22"
  std::string export_file;  ///< also write the history there; empty: do not
};

/// Prints the report of a period, from the evidence and the history on record.
ExitCode report_period(const PeriodCommand& command);

/// Prints the history on record as lines of JSON.
ExitCode export_history(const std::string& config_path);

struct VerifyCommand {
  std::string file;  ///< an export; "-": standard input
  std::string hash;  ///< of a filed report; empty: the lines are held against each other only
  std::optional<std::uint64_t> number;  ///< of the filed line
};

/// Holds an export against a filed hash: 0 it fits, 1 a line was changed, removed or added, 2 that
/// cannot be told.
ExitCode verify_history(const VerifyCommand& command);

}  // namespace pg_integrity
