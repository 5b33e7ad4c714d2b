// Messages of a command to the person at the terminal. Safe on any thread.
#pragma once

#include <string>

namespace pg_integrity {

/// Prints one line on standard error, after the program's name.
void say(const std::string& line);

}  // namespace pg_integrity
