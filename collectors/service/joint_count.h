// The rows of several tables together.
#pragma once

#include <string>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// One statement, and so one snapshot. Its only column, `rows`, is the sum of the tables' rows.
/// @param exact_up_to bytes of heap; a larger table is not counted.
/// @throws SourceError for the first table that cannot be counted: missing, too_large or config.
std::string joint_count_sql(Session& session, const Schema& schema,
                            const std::vector<QualifiedName>& tables, double exact_up_to);

}  // namespace pg_integrity
