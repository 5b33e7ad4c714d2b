// Conditions that the configuration puts on rows, such as `commentable_type = 'Post'`. They are no
// SQL of the user. A small parser takes a column, an operator and constants, and the statement is
// composed anew from these, with PostgreSQL's own operators. So a condition cannot call a function
// of anybody. Pure functions, two of them over a session.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"

namespace pg_integrity {

/// One comparison of a column with constants.
struct RowCondition {
  std::string column;                  ///< as in the catalog
  std::string relation;                ///< "=", "<>", "<", "<=", ">", ">=", "IN", "NOT IN",
                                       ///< "IS NULL" or "IS NOT NULL"
  std::vector<std::string> constants;  ///< one for a comparison, any number for IN, else none
};

/// Reads comparisons that AND joins:
///
///     commentable_type = 'Post' AND commentable_id <> 0
///     kind IN ('Post', 'Page') AND deleted_at IS NULL
///
/// As in SQL, a column without double quotes is in lower case.
/// @throws std::invalid_argument that says what is expected, and where.
std::vector<RowCondition> parse_conditions(std::string_view text);

/// The conditions as text for people.
std::string conditions_text(const std::vector<RowCondition>& conditions);

/// The conditions in SQL about the table's alias `row`, joined by AND.
/// @throws SourceError: missing if the table has no such column, unsafe if comparing the column's
/// type could run code of a user, config if its type cannot hold a constant.
std::string conditions_sql(Session& session, const QualifiedName& table, const std::string& row,
                           const std::vector<RowCondition>& conditions);

}  // namespace pg_integrity
