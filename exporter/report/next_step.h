// What to do next, in one line. A pure function.
#pragma once

#include <string>

#include "exporter/report/report.h"

namespace pg_integrity {

/// "Next: begin with the first finding. Its runbook is PgIntegrityForeignKeyViolations."
std::string next_step(const Report& report);

}  // namespace pg_integrity
