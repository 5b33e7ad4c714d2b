// What a collector reads of a database beyond its catalog. From it follow the privileges that the
// exporter's role needs. Each collector says it in the field `reads` of its CollectorSpec. Plain
// values, and functions over a session.
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
  /// Tables, views and the like, and which columns of each. No column: its rows are counted, for
  /// which any of them will do.
  std::map<QualifiedName, std::set<std::string>> tables;
  std::set<QualifiedName> sequences;
  /// Functions of an extension to be called, and the types of their arguments, in SQL.
  std::map<QualifiedName, std::string> functions;
  bool sessions = false;       ///< what the sessions of other users are doing
  bool large_objects = false;  ///< their sizes

  /// Neither tables nor anything like them, nor a function.
  [[nodiscard]] bool nothing() const {
    return tables.empty() && sequences.empty() && functions.empty() && !large_objects;
  }

  /// A table of the schema, and those of the columns that it has. Nothing of a table that is not
  /// there, or that no collector looks at: one with foreign code or a partition elsewhere.
  void add(const Schema& schema, const QualifiedName& table,
           const std::vector<std::string>& columns = {});

  /// What a query of the user's names, as far as its words tell: relations by their qualified
  /// names, and of these every column whose name occurs; all columns where it takes whole rows
  /// (`*`, TABLE, NATURAL). Never executed. What it does not see, such as a function that reads
  /// tables, stays unproven(permission).
  void add_query(Session& session, std::string_view sql);
};

}  // namespace pg_integrity
