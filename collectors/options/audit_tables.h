// The tables that the audit rests on: audited ones and audit logs. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "collectors/base/settings.h"

namespace pg_integrity {

/// Names and globs over "schema.table", from the options of `audit_logs` and `audit_triggers`.
/// @param server the complete settings of one server.
std::vector<std::string> audit_tables_from(const Settings& server);

}  // namespace pg_integrity
