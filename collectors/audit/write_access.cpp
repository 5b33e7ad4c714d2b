#include "collectors/audit/write_access.h"

#include "collectors/base/qualified_name.h"

namespace pg_integrity {

namespace {

// A role may act as itself and as every role that it may SET ROLE to (%s). Each of these is asked
// by its oid, so that inherited privileges count, too.
constexpr std::string_view kHead = R"(
WITH RECURSIVE acting AS (
  SELECT r.oid AS role, r.rolname, g.oid AS acts_as FROM pg_roles r JOIN pg_roles g
    ON g.oid = r.oid OR pg_has_role(r.oid, g.oid, '%s')
  WHERE r.oid = ANY ($1::oid[])),
part(root, oid) AS (
  SELECT c.oid, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') )";
constexpr std::string_view kTail = R"(
  UNION ALL
  SELECT part.root, l.oid FROM part JOIN pg_inherits i ON i.inhparent = part.oid
    JOIN pg_class l ON l.oid = i.inhrelid AND l.relispartition),
can AS (
  SELECT DISTINCT g.acts_as, part.root
  FROM (SELECT DISTINCT acts_as FROM acting) g CROSS JOIN part JOIN pg_class c ON c.oid = part.oid
  WHERE pg_has_role(g.acts_as, c.relowner, 'USAGE')
    OR has_schema_privilege(g.acts_as, c.relnamespace, 'USAGE')
      AND (has_table_privilege(g.acts_as, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
        OR has_any_column_privilege(g.acts_as, c.oid, 'INSERT, UPDATE')))
SELECT n.nspname AS schema, c.relname AS table_name, count(DISTINCT acting.role) AS writers,
  pg_catalog.left(string_agg(DISTINCT acting.rolname::text, ', '), 500) AS roles
FROM can JOIN acting ON acting.acts_as = can.acts_as JOIN pg_class c ON c.oid = can.root
  JOIN pg_namespace n ON n.oid = c.relnamespace
GROUP BY n.nspname, c.relname)";

}  // namespace

WritersByTable writers_among(Session& session, const std::vector<std::string>& oids,
                             const QualifiedName* only) {
  WritersByTable found;
  if (oids.empty()) return found;
  std::string list;
  for (const std::string& oid : oids) list += (list.empty() ? "{" : ",") + oid;
  std::vector<std::string> parameters{list + "}"};
  std::string sql(kHead);
  sql.replace(sql.find("%s"), 2, set_role_right(session.server().version_num));
  if (only != nullptr) {
    sql += " AND n.nspname = $2 AND c.relname = $3";
    parameters.push_back(only->schema);
    parameters.push_back(only->name);
  }
  const Rows rows = session.query(sql + std::string(kTail), parameters);
  for (std::size_t i = 0; i < rows.size(); ++i)
    found[{rows[i].text("schema"), rows[i].text("table_name")}] = {rows[i].number("writers"),
                                                                   rows[i].text("roles")};
  return found;
}

}  // namespace pg_integrity
