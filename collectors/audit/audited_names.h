// How an audit log may name the tables that are audited, and how often their triggers are called.
// One name may mean several tables, for example "orders" in a database with that table in every
// schema. Plain values, but for reading them from the catalog.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"

namespace pg_integrity {

/// How often the triggers of DELETE call the audit function, enabled or not.
struct TriggerLevel {
  bool row = false;        ///< once a row
  bool statement = false;  ///< once a statement
  bool old_rows = false;   ///< once a statement, and the function gets the deleted rows
};

/// A table, its partitions, and each text that an entry may name one of them by: the name, the OID,
/// or "schema.table", with or without quotation marks.
struct AuditedTable {
  std::set<std::string> names;
  std::set<std::string> schemas;  ///< for logs with a column of the schema: the name or its OID
  TriggerLevel level;
  bool partitioned = false;
  /// The sum of the OIDs. It changes when the table is created anew or a partition comes or goes.
  double identity = 0;
};

struct AuditedTables {
  std::map<QualifiedName, AuditedTable> tables;
  std::map<std::string, std::vector<QualifiedName>> named;  ///< the tables that a text may mean

  [[nodiscard]] TriggerLevel level(const QualifiedName& table) const {
    const auto found = tables.find(table);
    return found == tables.end() ? TriggerLevel{} : found->second.level;
  }
  /// The names of the table that may mean another of the tables, too.
  /// @param by_schema whether the log has a column of the schema.
  [[nodiscard]] std::vector<std::string> ambiguous_names(const QualifiedName& table,
                                                         bool by_schema) const;
};

/// The tables whose triggers call the function, and those that are asked for.
/// @param wanted the tables that are in the answer if they exist, whatever their triggers.
AuditedTables audited_tables(Session& session, const QualifiedName& function,
                             const std::vector<QualifiedName>& wanted);

/// A value of type text[].
template <typename Texts>
std::string text_array(const Texts& texts) {
  std::string array = "{";
  for (const std::string& text : texts) {
    array += array.size() > 1 ? ",\"" : "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') array += '\\';
      array += c;
    }
    array += '"';
  }
  return array + "}";
}

}  // namespace pg_integrity
