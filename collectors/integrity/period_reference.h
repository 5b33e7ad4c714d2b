// Foreign keys over periods (PERIOD, PostgreSQL 18). A row refers to all rows of the other table
// that have its key. The union of their periods must cover its own. Pure functions.
#pragma once

#include <string>

#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// The statement whose only column, `orphans`, counts the rows whose period is not covered. It
/// joins each row with one row a key, never with every row of the other table.
/// @param key a key with `temporal`. Its last columns are the periods.
std::string uncovered_sql(const ForeignKey& key);

}  // namespace pg_integrity
