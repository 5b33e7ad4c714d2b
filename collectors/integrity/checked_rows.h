// Constraints that PostgreSQL checks row by row: CHECK, NOT NULL, and CHECK of the domains of a
// table's columns. A constraint that is NOT VALID or NOT ENFORCED says nothing about the rows that
// are there. Also the statement that counts the rows that break one. Pure functions over a session.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

struct RowConstraint {
  enum class Kind : std::uint8_t { check, not_null, domain };

  QualifiedName table;
  std::string name;  ///< of a domain: "domain.constraint"
  std::string oid;
  Kind kind = Kind::check;
  bool validated = true;  ///< the catalog says that all rows obey it
  bool enforced = true;
  std::vector<std::string> columns;  ///< that it reads; of a domain, those of its type
  Table heap;                        ///< what is read
};

/// The constraints that are not validated, sorted by table and name. A partition's constraint is
/// left out if its root has the same. So are constraints of tables that the schema excludes.
/// @param all also those that are validated.
std::vector<RowConstraint> row_constraints(Session& session, const Schema& schema, bool all);

/// The statement whose only column, `broken`, counts the rows that break it. Reads no index.
/// @throws SourceError{unsafe} if it would run code that belongs to neither a superuser nor an
/// extension of one.
std::string broken_sql(Session& session, const RowConstraint& constraint);

}  // namespace pg_integrity
