// The rows of several tables together.
#pragma once

#include <string>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// One statement, and so one snapshot, whose only column `rows` is their sum.
/// @param exact_up_to bytes of heap beyond which a table is not counted.
/// @throws SourceError: missing, too_large, config, for the first table that cannot be counted.
std::string joint_count_sql(Session& session, const Schema& schema,
                            const std::vector<QualifiedName>& tables, double exact_up_to);

}  // namespace pg_integrity
