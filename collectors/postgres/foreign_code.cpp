#include "collectors/postgres/foreign_code.h"

#include "collectors/base/qualified_name.h"

namespace pg_integrity {

namespace {

constexpr std::string_view kDescendants =
    " UNION SELECT i.inhrelid FROM relation r"
    " JOIN pg_catalog.pg_inherits i ON i.inhparent = r.oid";
// The parts of a relation that PostgreSQL plans with, and the expressions in them as the catalog
// stores them. A partition key depends on its functions as the table itself does, with objsubid 0.
// Policies count where they apply to our role. PostgreSQL 12 and 13 have no stxexprs.
constexpr std::string_view kParts = R"(),
filtered(oid) AS (
  SELECT oid FROM named WHERE pg_catalog.row_security_active(oid)),
part(relation, classid, objid, expressions) AS (
  SELECT i.indrelid, 'pg_catalog.pg_class'::regclass, i.indexrelid,
    pg_catalog.concat(i.indexprs::text, i.indpred::text)
  FROM relation r JOIN pg_catalog.pg_index i ON i.indrelid = r.oid
  UNION ALL SELECT r.oid, 'pg_catalog.pg_class'::regclass, r.oid, p.partexprs::text
  FROM relation r LEFT JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = r.oid
  UNION ALL SELECT s.stxrelid, 'pg_catalog.pg_statistic_ext'::regclass, s.oid,
    pg_catalog.to_jsonb(s) ->> 'stxexprs'
  FROM relation r JOIN pg_catalog.pg_statistic_ext s ON s.stxrelid = r.oid
  UNION ALL SELECT d.adrelid, 'pg_catalog.pg_attrdef'::regclass, d.oid, NULL
  FROM relation r JOIN pg_catalog.pg_attrdef d ON d.adrelid = r.oid
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
  WHERE a.attgenerated = 'v'
  UNION ALL SELECT p.polrelid, 'pg_catalog.pg_policy'::regclass, p.oid, NULL
  FROM filtered f JOIN pg_catalog.pg_policy p ON p.polrelid = f.oid),
)";

// The planner calls a function in these expressions only if all its arguments are constants, and a
// scan of the heap evaluates none of them. So calls whose first argument is a column are harmless,
// but not if the planner puts the body of a function in SQL (14) in its place, adds the default of
// an argument, or replaces a virtual column. In a stored expression a backslash stands before each
// blank and brace of a name, so no name looks like a call.
constexpr std::string_view kUsed = R"(used(relation, classid, oid) AS (
  SELECT p.relation, d.refclassid, d.refobjid
  FROM part p JOIN pg_catalog.pg_depend d ON d.classid = p.classid AND d.objid = p.objid
  WHERE d.objsubid = 0 AND NOT (
    d.refclassid = 'pg_catalog.pg_proc'::regclass AND p.expressions IS NOT NULL
    AND EXISTS (SELECT FROM pg_catalog.pg_proc f
      WHERE f.oid = d.refobjid AND f.pronargdefaults = 0
        AND (f.prolang <> 14 OR f.prosecdef OR f.proconfig IS NOT NULL))
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = p.relation AND a.attgenerated = 'v')
    AND coalesce((SELECT nullif(count(*), 0) FROM pg_catalog.regexp_matches(p.expressions,
        ':funcid ' || d.refobjid || ' ', 'g')) =
      (SELECT count(*) FROM pg_catalog.regexp_matches(p.expressions, '[{]FUNCEXPR :funcid ' ||
        d.refobjid || ' [^(){}]*:args [(]([{]RELABELTYPE :arg )?[{]VAR ', 'g')), false))
  UNION SELECT i.indrelid, 'pg_catalog.pg_opclass'::regclass, k.class
  FROM relation r JOIN pg_catalog.pg_index i ON i.indrelid = r.oid
    CROSS JOIN LATERAL unnest(i.indclass::oid[]) AS k(class)),
type(relation, oid) AS (
  SELECT relation, oid FROM used WHERE classid = 'pg_catalog.pg_type'::regclass
  UNION SELECT type.relation, part.oid FROM type JOIN pg_catalog.pg_type t ON t.oid = type.oid
    LEFT JOIN pg_catalog.pg_range g ON g.rngtypid = t.oid
    CROSS JOIN LATERAL (VALUES (t.typbasetype), (t.typelem), (g.rngsubtype)) AS part(oid)
  WHERE part.oid <> 0),
family(relation, oid) AS (
  SELECT u.relation, c.opcfamily FROM used u JOIN pg_catalog.pg_opclass c ON c.oid = u.oid
  WHERE u.classid = 'pg_catalog.pg_opclass'::regclass AND u.oid >= 16384),
operator(relation, oid) AS (
  SELECT relation, oid FROM used WHERE classid = 'pg_catalog.pg_operator'::regclass
  UNION SELECT f.relation, o.amopopr FROM family f
    JOIN pg_catalog.pg_amop o ON o.amopfamily = f.oid),
invoked(relation, oid) AS (
  SELECT relation, oid FROM used WHERE classid = 'pg_catalog.pg_proc'::regclass
  UNION SELECT w.relation, f.oid FROM operator w JOIN pg_catalog.pg_operator o ON o.oid = w.oid
    CROSS JOIN LATERAL (VALUES (o.oprcode::oid), (o.oprrest::oid), (o.oprjoin::oid)) AS f(oid)
  UNION SELECT f.relation, s.amproc::oid FROM family f
    JOIN pg_catalog.pg_amproc s ON s.amprocfamily = f.oid
  UNION SELECT type.relation, f.oid FROM type
    JOIN pg_catalog.pg_range g ON g.rngtypid = type.oid
    CROSS JOIN LATERAL (VALUES (g.rngsubdiff::oid), (g.rngcanonical::oid)) AS f(oid)
  UNION SELECT type.relation, d.refobjid FROM type
    JOIN pg_catalog.pg_constraint k ON k.contypid = type.oid
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_constraint'::regclass
      AND d.objid = k.oid AND d.refclassid = 'pg_catalog.pg_proc'::regclass),
calling(relation) AS (
  SELECT DISTINCT w.relation FROM invoked w JOIN pg_catalog.pg_proc f ON f.oid = w.oid
    JOIN pg_catalog.pg_roles o ON o.oid = f.proowner WHERE NOT o.rolsuper),
foreign_code(oid) AS (
  SELECT relation FROM calling
  UNION SELECT i.inhparent FROM foreign_code c
    JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
    JOIN pg_catalog.pg_class p ON p.oid = i.inhparent AND p.relkind = 'p')
)";

// A dropped owner leaves a function without a role: pg_roles has no row, and NOT rolsuper is not
// true. PostgreSQL does not let that happen.

// Rows are hidden unless one policy lets our role see all of them and none restricts it. Policies
// of a table apply if the statement names it, and not if it names the table's parent.
constexpr std::string_view kHidden = R"(, hidden(oid) AS (
  SELECT f.oid FROM filtered f CROSS JOIN LATERAL (
    SELECT p.polpermissive AS permissive,
      coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true', false) AS all_rows
    FROM pg_catalog.pg_policy p WHERE p.polrelid = f.oid AND p.polcmd IN ('r', '*')
      AND EXISTS (SELECT FROM pg_catalog.unnest(p.polroles) AS r(oid)
        WHERE r.oid = 0 OR pg_catalog.pg_has_role(r.oid, 'USAGE'))
    UNION ALL SELECT true, false) AS policy
  GROUP BY f.oid
  HAVING NOT bool_or(permissive AND all_rows) OR bool_or(NOT permissive AND NOT all_rows)))";

// An object of PostgreSQL itself has an OID below 16384.
constexpr std::string_view kLocked = R"(
  SELECT c.oid FROM (SELECT l.relation FROM pg_catalog.pg_locks l
      WHERE l.locktype = 'relation' AND l.pid = pg_catalog.pg_backend_pid()
        AND l.relation >= 16384 AND l.database = (SELECT oid FROM pg_catalog.pg_database
          WHERE datname = pg_catalog.current_database()) OFFSET 0) AS own
    JOIN pg_catalog.pg_class c ON c.oid = own.relation
  WHERE c.relkind NOT IN ('i', 'I', 't'))";

// A table whose parts depend on none of the users' objects has no foreign code. A column of a
// user's type may have foreign code behind a cast or a range.
constexpr std::string_view kPlain = "SELECT CASE WHEN EXISTS (SELECT FROM (";
constexpr std::string_view kPlainTail =
    R"( OFFSET 0) AS l JOIN pg_catalog.pg_class c ON c.oid = l.oid
  WHERE c.relkind NOT IN ('r', 'm', 'S') OR c.relhassubclass OR c.relrowsecurity
    OR EXISTS (SELECT FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = c.oid)
    OR EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid
      AND (a.attgenerated = 'v' OR a.atttypid >= 16384 AND (
        EXISTS (SELECT FROM pg_catalog.pg_cast k WHERE k.oid >= 16384 AND k.castmethod = 'f')
        OR EXISTS (SELECT FROM pg_catalog.pg_range g WHERE g.rngtypid >= 16384))))
    OR EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND ((
        SELECT bool_or(k.class >= 16384) FROM unnest(i.indclass::oid[]) AS k(class))
      OR EXISTS (SELECT FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
        AND d.objsubid = 0 AND d.refobjid >= 16384 AND d.refclassid IN (
          'pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_operator'::regclass,
          'pg_catalog.pg_type'::regclass, 'pg_catalog.pg_opclass'::regclass)))))
  THEN (')";

std::string common(std::string_view relations, bool heirs) {
  std::string sql = "WITH RECURSIVE named(oid) AS (";
  sql += relations;
  sql += "), relation(oid) AS (SELECT oid FROM named";
  if (heirs) sql += kDescendants;
  sql += kParts;
  sql += kUsed;
  return sql;
}

}  // namespace

std::string foreign_code_sql(std::string_view relations) {
  return common(relations, true) +
         " SELECT n.nspname AS schema, c.relname AS name FROM foreign_code f"
         " JOIN pg_catalog.pg_class c ON c.oid = f.oid"
         " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')";
}

std::string locked_relations_sql() {
  return std::string(kLocked);
}

std::string refusal_sql() {
  std::string sql = "SELECT CASE WHEN EXISTS (SELECT FROM refused) THEN ('";
  sql += kRefusal;
  sql += "' || (SELECT pg_catalog.min(text) FROM refused) || '";
  sql += kRefusalEnd;
  return sql + "')::int END";
}

std::string plain_guard_sql() {
  std::string sql(kPlain);
  sql += kLocked;
  sql += kPlainTail;
  sql += kRefusal;
  sql += "' || (SELECT 'u'::text OFFSET 0) || '";  // a constant would fail while it is planned
  sql += kRefusalEnd;
  sql += "')::int END";
  return sql;
}

std::string learn_indexes_sql() {
  std::string sql = "SELECT pg_catalog.sum(pg_catalog.pg_indexes_size(own.oid)) FROM (";
  sql += kLocked;
  return sql + ") AS own";
}

std::string same_names_sql(std::string_view prepared) {
  std::string sql = "SELECT CASE WHEN EXISTS (SELECT FROM (";
  sql += kLocked;
  sql += R"( OFFSET 0) AS l JOIN pg_catalog.pg_class c ON c.oid = l.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE coalesce(pg_catalog.strpos((SELECT p.statement FROM pg_catalog.pg_prepared_statements p
    WHERE p.name = )";
  sql += sql_literal(prepared);
  sql += R"(), '"' || pg_catalog.replace(n.nspname, '"', '""') || '"."' ||
    pg_catalog.replace(c.relname, '"', '""') || '"'), 0) = 0) THEN (')";
  sql += kRefusal;
  sql += "' || (SELECT 'c'::text OFFSET 0) || '";
  sql += kRefusalEnd;
  sql += "')::int END";
  return sql;
}

std::string await_locks_sql() {
  std::string sql = "WITH RECURSIVE named(oid) AS (";
  sql += kLocked;
  sql += "), relation(oid) AS (SELECT oid FROM named";
  sql += kDescendants;
  return sql + R"()
SELECT pg_catalog.sum(pg_catalog.pg_relation_size(a.oid)) FROM (SELECT oid FROM relation
  UNION ALL SELECT i.indexrelid FROM relation r
    JOIN pg_catalog.pg_index i ON i.indrelid = r.oid) AS a)";
}

std::string guard_sql(Guard when, bool heirs) {
  std::string sql = common(kLocked, heirs);
  sql += when == Guard::before ? kHidden : ", hidden(oid) AS (SELECT oid FROM named WHERE false)";
  sql += R"(, refused(text) AS (
  SELECT 'p ' || pg_catalog.left(n.nspname || '.' || c.relname, 200)
  FROM hidden h JOIN pg_catalog.pg_class c ON c.oid = h.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  UNION ALL
  SELECT CASE WHEN c.relkind IN ('r', 'p', 'm', 'S') THEN 'u' ELSE 'k' END || ' ' ||
    pg_catalog.left(n.nspname || '.' || c.relname, 200)
  FROM relation r JOIN pg_catalog.pg_class c ON c.oid = r.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind NOT IN ('r', 'p', 'm', 'S') OR r.oid IN (SELECT oid FROM foreign_code))
)";
  return sql + refusal_sql();
}

}  // namespace pg_integrity
