#include "collectors/integrity/reference_sql.h"

#include "collectors/base/errors.h"
#include "collectors/base/qualified_name.h"
#include "collectors/integrity/period_reference.h"

namespace pg_integrity {

namespace {

std::string not_null(const ForeignKey& key, std::string_view joined_by) {
  std::string sql;
  for (const ReferenceColumn& column : key.columns)
    sql += (sql.empty() ? std::string() : std::string(joined_by)) + "c." +
           sql_identifier(column.child) + " IS NOT NULL";
  return "(" + sql + ")";
}

std::string table_sql(const QualifiedName& table, bool whole) {
  return (whole ? "" : "ONLY ") + table.sql();
}

}  // namespace

void require_safe(const ForeignKey& key) {
  if (key.foreign_cast)
    throw SourceError(Reason::unsafe,
                      "comparing would call the function of a cast that belongs to no"
                      " superuser. HINT: give both sides the same type");
  if (key.foreign_code)
    throw SourceError(Reason::unsafe, "any look at " + key.child.display() + " or " +
                                          key.parent.display() + std::string(kForeignCodeRuns))
        .because_of({key.foreign_code_of_parent ? key.parent : key.child});
}

std::string child_sql(const ForeignKey& key) {
  return table_sql(key.child, key.child_partitioned || key.child_with_heirs);
}

std::string parent_sql(const ForeignKey& key) {
  return table_sql(key.parent, key.parent_partitioned || key.parent_with_heirs);
}

std::string orphans_sql(const ForeignKey& key) {
  if (key.temporal) return uncovered_sql(key);
  std::string match;
  for (const ReferenceColumn& column : key.columns) {
    if (!match.empty()) match += " AND ";
    match += "p." + sql_identifier(column.parent) + column.parent_cast + " " + column.comparison +
             " c." + sql_identifier(column.child) + column.child_cast + column.collation;
  }
  return "SELECT count(*) AS orphans FROM " + child_sql(key) + " c WHERE " +
         not_null(key, key.match_full ? " OR " : " AND ") +
         (key.condition.empty() ? "" : " AND " + key.condition) + " AND NOT EXISTS (SELECT FROM " +
         parent_sql(key) + " p WHERE " + match + ")";
}

}  // namespace pg_integrity
