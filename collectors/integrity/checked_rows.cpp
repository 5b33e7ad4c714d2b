#include "collectors/integrity/checked_rows.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "collectors/base/errors.h"
#include "collectors/integrity/unique_keys.h"

namespace pg_integrity {

namespace {

// One row for each column that a constraint reads; NULL for a constraint that reads none. NOT
// ENFORCED is known since PostgreSQL 18, and implies NOT VALID.
constexpr std::string_view kOfTables = R"(
SELECT n.nspname AS schema, c.relname AS table_name, c.relkind = 'p' AS partitioned,
  k.conname AS name, k.oid, CASE k.contype WHEN 'c' THEN 'check' ELSE 'not_null' END AS kind,
  k.convalidated AS validated, a.attname AS column_name,
  coalesce(rn.nspname, n.nspname) AS root_schema, coalesce(r.relname, c.relname) AS root_name, )";
constexpr std::string_view kFromTables = R"( AS enforced
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey)
  LEFT JOIN pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid)
  LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
WHERE k.contype IN ('c', 'n') AND c.relkind IN ('r', 'p')
  AND NOT (c.relispartition AND k.coninhcount > 0) AND n.nspname <> 'pg_catalog'
  AND ($1::bool OR NOT k.convalidated))";

// Domains may be made of domains. A column's type then promises all that they promise.
constexpr std::string_view kOfDomains = R"(
WITH RECURSIVE derived(top, oid) AS (
  SELECT contypid, contypid FROM pg_constraint
  WHERE contypid <> 0 AND contype = 'c' AND ($1::bool OR NOT convalidated)
  UNION SELECT derived.top, t.oid FROM derived JOIN pg_type t
    ON t.typtype = 'd' AND t.typbasetype = derived.oid)
SELECT n.nspname AS schema, c.relname AS table_name, c.relkind = 'p' AS partitioned,
  t.typname || '.' || k.conname AS name, k.oid, 'domain' AS kind, k.convalidated AS validated,
  true AS enforced, a.attname AS column_name, n.nspname AS root_schema, c.relname AS root_name
FROM pg_constraint k JOIN derived ON derived.top = k.contypid JOIN pg_type t ON t.oid = k.contypid
  JOIN pg_attribute a ON a.atttypid = derived.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'c' AND ($1::bool OR NOT k.convalidated))";

// The types of its columns and of what it mentions.
constexpr std::string_view kTypes = R"(
SELECT oid FROM (
  SELECT a.atttypid AS oid FROM pg_constraint k
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
  WHERE k.oid = $1::oid
  UNION SELECT contypid FROM pg_constraint WHERE oid = $1::oid AND contypid <> 0
  UNION SELECT refobjid FROM pg_depend WHERE classid = 'pg_constraint'::regclass
    AND objid = $1::oid AND refclassid = 'pg_type'::regclass) AS mentioned)";

// Comparing ranges may call functions of their types, and so may the planner.
constexpr std::string_view kFunctions = R"(
  UNION SELECT refobjid FROM pg_depend WHERE classid = 'pg_constraint'::regclass
    AND objid = $1::oid AND refclassid = 'pg_proc'::regclass
  UNION SELECT o.oprcode::oid FROM pg_depend d JOIN pg_operator o ON o.oid = d.refobjid
  WHERE d.classid = 'pg_constraint'::regclass AND d.objid = $1::oid
    AND d.refclassid = 'pg_operator'::regclass
  UNION SELECT called.oid FROM type JOIN pg_range r ON r.rngtypid = type.oid
    CROSS JOIN LATERAL (VALUES (r.rngsubdiff::oid), (r.rngcanonical::oid)) AS called(oid)
  WHERE called.oid <> 0)";

// A cast to a user's domain runs the domain's checks. A column 0 is the whole row.
constexpr std::string_view kFurther = R"(
  AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_type t ON t.oid = d.refobjid
    WHERE d.classid = 'pg_constraint'::regclass AND d.objid = $1::oid
      AND d.refclassid = 'pg_type'::regclass AND t.typtype IN ('c', 'd')
      AND t.oid <> (SELECT contypid FROM pg_constraint WHERE oid = $1::oid)
      AND t.typowner NOT IN (SELECT oid FROM superuser))
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE oid = $1::oid AND 0 = ANY (conkey)))";

// Domains of domains are followed to the type that is stored.
constexpr std::string_view kExpression = R"(
pg_get_expr(k.conbin, k.conrelid) AS expression, (
  WITH RECURSIVE base(oid) AS (
    SELECT k.contypid
    UNION ALL
    SELECT t.typbasetype FROM base JOIN pg_type t ON t.oid = base.oid WHERE t.typtype = 'd')
  SELECT format('%I.%I', n.nspname, t.typname) FROM base JOIN pg_type t ON t.oid = base.oid
    JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype <> 'd') AS base
FROM trust CROSS JOIN pg_constraint k WHERE k.oid = $1::oid)";

RowConstraint::Kind kind_named(const std::string& name) {
  if (name == "check") return RowConstraint::Kind::check;
  return name == "domain" ? RowConstraint::Kind::domain : RowConstraint::Kind::not_null;
}

void add_rows(const Rows& rows, const Schema& schema, std::vector<RowConstraint>& into) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    const Table* root = schema.table({row.text("root_schema"), row.text("root_name")});
    if (root == nullptr) continue;
    const QualifiedName table{row.text("schema"), row.text("table_name")};
    if (into.empty() || into.back().table != table || into.back().oid != row.text("oid")) {
      RowConstraint found;
      found.table = table;
      found.name = row.text("name");
      found.oid = row.text("oid");
      found.kind = kind_named(row.text("kind"));
      found.validated = row.flag("validated");
      found.enforced = row.flag("enforced");
      found.heap = root->alone();
      found.heap.name = table;
      found.heap.partitioned = row.flag("partitioned");
      if (table != root->name) found.heap.estimated_bytes.reset();
      into.push_back(std::move(found));
    }
    if (const auto& column = row.maybe_text("column_name")) into.back().columns.push_back(*column);
  }
}

/// Each value of a domain's columns as `value`, which is how an expression of a domain calls it.
std::string values_of(const RowConstraint& constraint, const std::string& base) {
  std::string sql;
  for (const std::string& column : constraint.columns)
    sql += (sql.empty() ? "SELECT " : " UNION ALL SELECT ") + sql_identifier(column) + "::" + base +
           " AS value FROM " + constraint.heap.from_clause_alone();
  return "(" + sql + ") v";
}

}  // namespace

std::vector<RowConstraint> row_constraints(Session& session, const Schema& schema, bool all) {
  const std::array<std::string, 1> parameters{all ? "true" : "false"};
  const std::string sorted = " ORDER BY 1, 2, k.oid, a.attnum";
  std::vector<RowConstraint> found;
  std::string of_tables(kOfTables);
  of_tables += session.server().version_num >= 180000 ? "k.conenforced" : "true";
  of_tables += kFromTables;
  add_rows(session.query(of_tables + sorted, parameters), schema, found);
  add_rows(session.query(std::string(kOfDomains) + sorted, parameters), schema, found);
  std::sort(found.begin(), found.end(), [](const RowConstraint& a, const RowConstraint& b) {
    return std::tie(a.table, a.name) < std::tie(b.table, b.name);
  });
  return found;
}

std::string broken_sql(Session& session, const RowConstraint& constraint) {
  const std::string from = constraint.heap.from_clause_alone();
  if (constraint.kind == RowConstraint::Kind::not_null)
    // The planner believes that a column is NOT NULL, and would not look for `IS NULL`.
    return "SELECT count(*) AS broken FROM " + from + " WHERE num_nulls(" +
           sql_identifier(constraint.columns.at(0)) + ") > 0";
  const std::array<std::string, 1> oid{constraint.oid};
  const Row row = trusted_rows(session, {kTypes, kFunctions, kFurther}, kExpression, oid).only();
  const bool domain = constraint.kind == RowConstraint::Kind::domain;
  return "SELECT count(*) AS broken FROM " +
         (domain ? values_of(constraint, row.text("base")) : from) + " WHERE (" +
         row.text("expression") + ") IS FALSE";
}

}  // namespace pg_integrity
