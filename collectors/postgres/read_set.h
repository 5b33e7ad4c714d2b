// The data of a database that a collector reads beyond the catalog. The privileges that the
// exporter's role needs follow from it. Each collector declares it in the field `reads` of its
// CollectorSpec. Plain values, and functions over a session.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

class Session;

struct Reads {
  /// Tables, views and similar relations, with the columns that are read. An empty set of columns
  /// means that rows are counted, which needs the right to read any one column.
  std::map<QualifiedName, std::set<std::string>> tables;
  std::set<QualifiedName> sequences;
  /// Extension functions that are called, with their argument types in SQL.
  std::map<QualifiedName, std::string> functions;
  bool sessions = false;       ///< the activity of other users' sessions
  bool large_objects = false;  ///< the sizes of large objects

  /// Whether it reads no table or view, no function and no large object. Sequences and sessions do
  /// not count here.
  [[nodiscard]] bool nothing() const {
    return tables.empty() && sequences.empty() && functions.empty() && !large_objects;
  }

  /// Adds a table, with those of the columns that it has. Adds nothing if the table does not exist,
  /// or if no collector reads it. A collector reads no table for which the planner may call a
  /// function that no superuser owns, and none with a partition that is a foreign table.
  void add(const Schema& schema, const QualifiedName& table,
           const std::vector<std::string>& columns = {});

  /// Adds the relations and columns that a query of the user names, as far as its words tell.
  /// Relations need qualified names. For each relation it adds every column whose name occurs in
  /// the query. If the query takes whole rows (`*`, TABLE, NATURAL), it adds all columns. The query
  /// is never executed. Reads that the words do not show, such as those of a function, stay
  /// unproven(permission).
  void add_query(Session& session, std::string_view sql);
};

}  // namespace pg_integrity
