// The tables that roles can change, whatever way leads there. The ways are grants to the role, to
// PUBLIC and to roles that it is a member of, ownership, and predefined roles. They also count for
// every role that SET ROLE reaches. Pure but for the session.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

struct Writers {
  double count = 0;
  std::string roles;  ///< their names, joined by commas; cut off where there are many
};
using WritersByTable = std::map<QualifiedName, Writers>;

/// The kind of membership that lets a role SET ROLE to another. It is a right of its own from
/// version 16 on.
inline const char* set_role_right(int version_num) {
  return version_num >= 160000 ? "SET" : "MEMBER";
}

/// Finds which of these roles may change or own which tables. A table that none of them may change
/// is absent. A partition can be written to directly, so it counts as its root.
/// @param oids of the roles; a superuser may change everything.
/// @param only the one table to check; nullptr for all tables, those of extensions included.
WritersByTable writers_among(Session& session, const std::vector<std::string>& oids,
                             const QualifiedName* only);

}  // namespace pg_integrity
