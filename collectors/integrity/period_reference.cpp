#include "collectors/integrity/period_reference.h"

#include "collectors/base/qualified_name.h"
#include "collectors/integrity/reference_sql.h"

namespace pg_integrity {

// PostgreSQL refuses a row with an empty period, because no period overlaps it.
std::string uncovered_sql(const ForeignKey& key) {
  std::string present, values, groups, match;
  for (std::size_t i = 0; i < key.columns.size(); ++i) {
    const ReferenceColumn& column = key.columns[i];
    const std::string child = "c." + sql_identifier(column.child);
    present.append(i == 0 ? "" : " AND ").append(child).append(" IS NOT NULL");
    if (i + 1 == key.columns.size()) continue;
    const std::string name = "k" + std::to_string(i);
    const std::string parent = "p." + sql_identifier(column.parent);
    values.append(parent).append(" AS ").append(name).append(", ");
    groups.append(i == 0 ? "" : ", ").append(parent);
    match.append(i == 0 ? "p." : " AND p.").append(name).append(column.parent_cast).append(" ");
    match.append(column.comparison).append(" ").append(child).append(column.child_cast);
    match.append(column.collation);
  }
  const std::string period = "c." + sql_identifier(key.columns.back().child);
  return "SELECT count(*) AS orphans FROM " + child_sql(key) + " c LEFT JOIN (SELECT " + values +
         "range_agg(p." + sql_identifier(key.columns.back().parent) + ") AS covered FROM " +
         parent_sql(key) + " p GROUP BY " + groups + ") p ON " + match + " WHERE " + present +
         " AND (isempty(" + period + ") OR NOT coalesce(p.covered @> " + period + ", false))";
}

}  // namespace pg_integrity
