// Exclusion constraints, and keys WITHOUT OVERLAPS: no two rows may conflict by the operators of
// the constraint. Also the statement that counts the rows that conflict with a row sorted before
// them. It sorts the rows of the heap once, reads no index and compares no row with every other.
// Pure functions over a session.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/integrity/unique_keys.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

struct ExclusionKey {
  UniqueIndex index;
  std::string constraint;
  bool temporal = false;  ///< WITHOUT OVERLAPS, which also forbids empty ranges
};

/// Every constraint whose index the catalog takes for valid, sorted by table and name. The index of
/// a partition is left out if it belongs to an index of the root. So are constraints of tables that
/// the schema excludes.
std::vector<ExclusionKey> exclusion_keys(Session& session, const Schema& schema);

/// The statement whose only column, `conflicting`, counts the rows. Rows with a NULL in any column
/// of the constraint conflict with none.
/// @return empty if nothing sorts the values that the operators compare. These are understood:
///
///   all columns WITH =                         rows beyond the first of each value
///   one WITH &&, ranges, multiranges, inet     a row that begins before an earlier one has ended
///   one WITH <>, all others WITH =             rows beyond those of the most frequent value
///
/// @throws SourceError{unsafe} if it would run code that belongs to neither a superuser nor an
/// extension of one.
std::optional<std::string> conflicts_sql(Session& session, const ExclusionKey& key);

}  // namespace pg_integrity
