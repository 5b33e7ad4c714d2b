// What to do next, in one line, and the command to begin with. Pure functions.
#pragma once

#include <string>

#include "exporter/report/report.h"

namespace pg_integrity {

/// "Next: begin with the first finding. Its runbook is PgIntegrityForeignKeyViolations."
std::string next_step(const Report& report);

/// The end of the output of `check`: the first command of the first finding, to be pasted into a
/// shell, and next_step() as the last line.
std::string last_words(const Report& report);

}  // namespace pg_integrity
