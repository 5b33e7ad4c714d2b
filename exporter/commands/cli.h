// The command line.
#pragma once

namespace pg_integrity {

/// Parses the arguments, runs the command and returns the exit code.
int run_command_line(int argc, const char* const* argv);

}  // namespace pg_integrity
