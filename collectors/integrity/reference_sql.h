// The statement that counts the orphans of a foreign key or a declared reference. Pure functions.
#pragma once

#include <string>

#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// @throws SourceError{unsafe} if comparing would run code of a user.
void require_safe(const ForeignKey& key);

/// The referring table for a FROM clause, with as many of its heirs as the key binds.
std::string child_sql(const ForeignKey& key);

/// The table that is referred to, likewise.
std::string parent_sql(const ForeignKey& key);

/// The statement whose only column, `orphans`, counts the rows that refer to no row.
std::string orphans_sql(const ForeignKey& key);

}  // namespace pg_integrity
