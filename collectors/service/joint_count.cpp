#include "collectors/service/joint_count.h"

#include "collectors/base/errors.h"
#include "collectors/base/qualified_name.h"
#include "collectors/postgres/table_scan.h"

namespace pg_integrity {

std::string joint_count_sql(Session& session, const Schema& schema,
                            const std::vector<QualifiedName>& tables, double exact_up_to) {
  std::string sum;
  for (const QualifiedName& name : tables) {
    const Table* table = schema.table(name);
    if (table == nullptr)
      throw SourceError(Reason::missing, "table " + name.display() + " does not exist");
    if (table->has_foreign_partition)
      throw SourceError(Reason::config,
                        "a partition of table " + name.display() + " is on another server");
    if (heap_bytes(session, *table) > exact_up_to)
      throw SourceError(Reason::too_large, "table " + name.display() +
                                               " is above exact_up_to. HINT: raise it for this"
                                               " server");
    sum += (sum.empty() ? "(SELECT count(*) FROM " : " + (SELECT count(*) FROM ") +
           table->from_clause() + ")";
  }
  return "SELECT " + sum + " AS rows";
}

}  // namespace pg_integrity
