// The command `check` checks everything once and prints a report.
#pragma once

#include <cstdint>
#include <string>

#include "exporter/commands/command.h"

namespace pg_integrity {

enum class ReportFormat : std::uint8_t { text, markdown, json };

struct CheckCommand {
  std::string config_path;  ///< empty: the environment
  ReportFormat format = ReportFormat::text;
  bool recorded = false;  ///< shows the recorded verdict, without touching the database
};

/// Checks everything once, or takes the recorded verdict, and prints the report on standard output.
ExitCode check(const CheckCommand& command);

}  // namespace pg_integrity
