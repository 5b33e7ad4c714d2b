// The columns that sequences feed, and whether a sequence has fallen behind: after a restore or an
// import that did not set it, the next value it gives is one that the column already holds. Pure
// functions over a session.
#pragma once

#include <string>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// A column whose values come from a sequence: it owns it (serial, identity, OWNED BY), or its
/// default is nextval() of it and nothing else.
struct FedColumn {
  QualifiedName table;
  std::string column;
  QualifiedName sequence;
  std::string increment;  ///< as PostgreSQL writes it: any bigint but 0
};

/// Every such column of a number type, sorted by table and column. Sequences that cycle are left
/// out: they are meant to come back; so is what the schema excludes.
std::vector<FedColumn> fed_columns(Session& session, const Schema& schema);

/// How many of the sequence's next values lie no further than what the column holds already; 0 is
/// sound. Both are read in one statement, whose snapshot is older than its look at the sequence:
/// rows that are written meanwhile make nothing look behind.
/// @throws SourceError {permission} if the role may read only one of both.
double values_behind(Session& session, const Table& table, const FedColumn& fed);

}  // namespace pg_integrity
