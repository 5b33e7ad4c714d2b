// The names of everything that a database's users made, read from the catalog. One thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/integrity/inventory_names.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

class Session;

namespace inventory {

/// A key, constraint, trigger or index of a table.
struct FoundItem {
  Kind kind{};
  std::string name;
  bool works = true;  ///< it is enforced, or fires in ordinary sessions
};

struct FoundTable {
  double rows = 0;               ///< by the statistics, at least 1 if it has pages
  std::vector<FoundItem> items;  ///< sorted by kind and name
};

struct FoundSequence {
  std::optional<QualifiedName> owner;  ///< the table that it is dropped with
};

struct Found {
  std::map<QualifiedName, FoundTable> tables;
  std::map<QualifiedName, FoundSequence> sequences;
  /// Tables that belong to another table or to an extension, and come and go with it.
  std::set<QualifiedName> parts;
};

/// Reads all names in one statement, so that no table is seen without its keys. Objects that the
/// configuration excludes are left out.
/// @param schema tells which tables are parts of others, and which are excluded.
Found read_inventory(Session& session, const Schema& schema);

}  // namespace inventory
}  // namespace pg_integrity
