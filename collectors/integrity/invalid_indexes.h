// The indexes of a database that are not valid and that nobody is building or dropping. Indexes of
// materialized views, of system catalogs and of TOAST tables are among them. Functions over a
// session.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

struct InvalidIndex {
  std::string schema;    ///< of its table; a TOAST table counts as the table that it belongs to
  QualifiedName index;   ///< where the index itself is
  std::string toast_of;  ///< the table, if it is the index of a TOAST table
  bool waits = false;    ///< it waits for indexes of partitions, and is no finding

  /// A line for the report, with the next step.
  [[nodiscard]] std::string told() const;
};

/// Indexes of tables and materialized views that the schema excludes are left out.
std::vector<InvalidIndex> invalid_indexes(Session& session, const Schema& schema);

/// The schemas whose indexes are checked. System catalogs count as pg_catalog.
std::set<std::string> indexed_schemas(Session& session, const Schema& schema);

}  // namespace pg_integrity
