// The command `check` checks everything once and prints a report.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "exporter/commands/command.h"

namespace pg_integrity {

enum class ReportFormat : std::uint8_t { text, markdown, json, nagios };

struct CheckCommand {
  std::string config_path;  ///< empty: the environment
  ReportFormat format = ReportFormat::text;
  /// Shows the recorded verdict, without touching the database. Empty: for Nagios only.
  std::optional<bool> recorded{};
  bool only_bad = false;  ///< shows what is violated or unproven only
};

/// Checks everything once, or takes the recorded verdict, and prints the report on standard output.
/// The exit codes for Nagios are those of its plugins; see NagiosStatus.
ExitCode check(const CheckCommand& command);

}  // namespace pg_integrity
