// Foreign code that a statement of ours reaches by its names, as foreign_code.h is about code that
// belongs to a table. The text of a statement may come from a key, an index or a constraint that
// was read a moment or a minute ago. Its owner may since have created a cast of a column's type,
// put another operator behind a name, or given a domain a CHECK constraint. PostgreSQL calls a
// domain's functions even while it parses a literal. Pure functions; safe on any thread.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "collectors/base/qualified_name.h"

namespace pg_integrity {

/// What a statement names with a schema other than PostgreSQL's own, tables and columns aside.
struct NamedCode {
  std::set<QualifiedName> operators, functions, types;

  [[nodiscard]] bool none() const {
    return operators.empty() && functions.empty() && types.empty();
  }
};

NamedCode named_code(std::string_view statement);

/// Composes the check of a statement by what its names mean now, and by the types of those columns
/// of the locked relations that it names.
/// @param named what the statement names.
/// @return a statement that fails as a guard of foreign_code.h does, with the letter 'f' and the
/// function's name.
std::string named_code_guard_sql(const NamedCode& named, std::string_view statement);

}  // namespace pg_integrity
