// Foreign keys that had orphans and are no longer in the catalog, or are there with other columns.
// The rows are as wrong as before, so the key is checked on as if it were declared, until no row is
// wrong. Pure functions, except where a session is given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/base/batch.h"
#include "collectors/integrity/declared_reference.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

class Session;

/// The label `columns` of pg_integrity_foreign_key_info: columns as identifiers in SQL, such as
/// `("a", "b") REFERENCES ("x", "y")`. MATCH FULL, PERIOD or WHERE follows where it applies.
std::string columns_text(const ForeignKey& key);

/// The key that a sample of pg_integrity_foreign_key_info tells.
/// @return nothing for a key over periods and a reference with a condition.
std::optional<DeclaredReference> remembered_key(const Sample& info);

/// Whether its tables and columns still exist.
bool is_checkable(const DeclaredReference& remembered, const Schema& schema);

/// Whether both compare the same columns of the same tables in the same way.
bool is_same(const ForeignKey& a, const ForeignKey& b);

}  // namespace pg_integrity
