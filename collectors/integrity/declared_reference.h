// References that the configuration declares and no foreign key does. They are compared as a
// foreign key on the same columns would be.
#pragma once

#include <vector>

#include "collectors/base/settings.h"
#include "collectors/integrity/row_condition.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

class Session;

struct DeclaredReference {
  ForeignKey key;  ///< its columns lack their comparison, which depends on the database
  std::vector<RowCondition> conditions;
};

/// Makes a reference from one entry of `references`, which check_reference() has accepted.
DeclaredReference declared_reference(const Settings& record);

/// Adds what is wrong with one entry of `references`.
void check_reference(const Settings& record, Problems& problems);

/// The columns of the referring table that the entry reads.
std::vector<std::string> referring_columns(const Settings& record);

/// Completes a declared reference with facts of the database about its tables and columns.
/// @throws SourceError: missing if a table does not exist, config if the columns cannot be
/// compared, and as conditions_sql() does.
ForeignKey resolve(Session& session, const Schema& schema, const DeclaredReference& declared);

}  // namespace pg_integrity
