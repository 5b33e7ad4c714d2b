// What roles can do to tables, whatever way leads there: grants to them, to PUBLIC and to roles
// that they are members of, ownership, predefined roles, and all of that for every role that SET
// ROLE reaches. Pure but for the session.
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

/// The kind of membership that lets a role SET ROLE to another: a right of its own since version
/// 16.
inline const char* set_role_right(int version_num) {
  return version_num >= 160000 ? "SET" : "MEMBER";
}

/// Which of these roles may change or own which tables. Tables that nobody of them may change are
/// absent. Partitions can be written to directly: they count as their root.
/// @param oids of the roles; a superuser may change everything.
/// @param only one table; nullptr: all of them, those of extensions included.
WritersByTable writers_among(Session& session, const std::vector<std::string>& oids,
                             const QualifiedName* only);

}  // namespace pg_integrity
