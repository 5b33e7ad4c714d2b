// The columns that sequences feed, and whether a sequence has fallen behind its column. After a
// restore or an import that did not set the sequence, its next value is one that the column already
// holds. Pure functions over a session.
#pragma once

#include <string>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// A column whose values come from a sequence. Either the column owns the sequence (serial,
/// identity, OWNED BY), or its default is nextval() of it and nothing else.
struct FedColumn {
  QualifiedName table;
  std::string column;
  QualifiedName sequence;
  std::string increment;    ///< as PostgreSQL writes it: any bigint but 0
  bool with_heirs = false;  ///< the sequence feeds the column in all heirs of the table, too
};

/// Every such column of a number type, sorted by table and column. Sequences that cycle are left
/// out, because they are meant to come back to old values. So are tables that the schema excludes,
/// and tables with a partition on another server. Parts of a table (Table::part_of_parent) are left
/// out if one sequence feeds the table and all its heirs.
std::vector<FedColumn> fed_columns(Session& session, const Schema& schema);

/// The number of the sequence's next values that the column has already reached or passed; 0 is
/// sound. One statement reads both. Its snapshot of the table is older than its reading of the
/// sequence, so rows that are written meanwhile do not make the sequence look behind.
/// @param table with its heirs only if the sequence feeds them, too.
/// @throws SourceError{permission} unless the role may read both.
double values_behind(Session& session, const Table& table, const FedColumn& fed);

}  // namespace pg_integrity
