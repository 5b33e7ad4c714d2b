#include "collectors/postgres/named_code.h"

#include <vector>

#include "collectors/postgres/foreign_code.h"
#include "collectors/postgres/sql_lexer.h"

namespace pg_integrity {

namespace {

constexpr std::string_view kOwnSchema = "pg_catalog";

/// The sign of an operator whose pieces begin there. It ends at a closing parenthesis.
std::string sign_at(const std::vector<std::string_view>& pieces, std::size_t at) {
  std::string sign;
  for (; at < pieces.size() && pieces[at] != ")"; ++at) sign += pieces[at];
  return sign;
}

/// All names of a statement, with a blank before and after each. Columns that ROW(…) and concat(…)
/// print by the output functions of their types, and so without any cast, are left out.
std::string names_to_cast(std::string_view statement) {
  const std::vector<std::string_view> pieces = sql_pieces(statement);
  std::string text = " ";
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const std::string word = sql_name(pieces[i]);
    if (!word.empty()) text.append(word).append(" ");
    if ((word != "row" && word != "concat") || i + 1 == pieces.size() || pieces[i + 1] != "(")
      continue;
    std::size_t end = i + 2;
    while (end < pieces.size() &&
           (!sql_name(pieces[end]).empty() || pieces[end] == "," || pieces[end] == "."))
      ++end;
    if (end < pieces.size() && pieces[end] == ")") i = end;
  }
  return text;
}

/// A WITH query of schemas and names.
std::string listed(std::string_view query, const std::set<QualifiedName>& names) {
  std::string sql;
  for (const QualifiedName& name : names)
    sql += (sql.empty() ? "VALUES (" : ", (") + sql_literal(name.schema) + "::pg_catalog.text, " +
           sql_literal(name.name) + "::pg_catalog.text)";
  if (sql.empty()) sql = "SELECT ''::pg_catalog.text, ''::pg_catalog.text WHERE false";
  return std::string(query) + "(schema, name) AS (" + sql + ")";
}

// A type is followed to the types that it consists of. `literal` says that the statement may have a
// literal of the type. A multirange depends on its range. An object of PostgreSQL itself has an OID
// below 16384.
constexpr std::string_view kTypes = R"(), type(oid, literal) AS (
  SELECT a.atttypid, false FROM locked l JOIN pg_catalog.pg_attribute a ON a.attrelid = l.oid
  WHERE a.attnum > 0 AND a.atttypid >= 16384
    AND pg_catalog.strpos((SELECT names FROM statement), ' ' || a.attname || ' ') > 0
  UNION SELECT t.oid, true FROM named_type m JOIN pg_catalog.pg_namespace n ON n.nspname = m.schema
    JOIN pg_catalog.pg_type t ON t.typnamespace = n.oid AND t.typname = m.name
  UNION SELECT part.oid, type.literal FROM type JOIN pg_catalog.pg_type t ON t.oid = type.oid
    LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
    LEFT JOIN pg_catalog.pg_depend m ON t.typtype = 'm' AND m.objid = t.oid
      AND m.classid = 'pg_catalog.pg_type'::regclass AND m.refclassid = m.classid
    LEFT JOIN pg_catalog.pg_attribute a ON t.typtype = 'c' AND a.attrelid = t.typrelid
      AND a.attnum > 0 AND NOT a.attisdropped
    CROSS JOIN LATERAL (VALUES (t.typbasetype), (t.typelem), (r.rngsubtype), (m.refobjid),
      (a.atttypid)) AS part(oid)
  WHERE part.oid >= 16384),
)";

// The planner measures ranges with their type's function where a range is compared with a constant.
// That constant is a literal of the type, or an element beside one of the operators @> and <@.
//
// Only a superuser changes functions in the languages C and internal (12 and 13). Creating a range
// creates some of them for its owner.
constexpr std::string_view kCalled = R"(operator(oid) AS (
  SELECT o.oid FROM named_operator m JOIN pg_catalog.pg_namespace n ON n.nspname = m.schema
    JOIN pg_catalog.pg_operator o ON o.oprnamespace = n.oid AND o.oprname = m.name
  UNION SELECT d.refobjid FROM type JOIN pg_catalog.pg_constraint k ON k.contypid = type.oid
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_constraint'::regclass
      AND d.objid = k.oid AND d.refclassid = 'pg_catalog.pg_operator'::regclass
  WHERE type.literal),
called(oid) AS (
  SELECT f.oid FROM operator w JOIN pg_catalog.pg_operator o ON o.oid = w.oid
    CROSS JOIN LATERAL (VALUES (o.oprcode::oid), (o.oprrest::oid), (o.oprjoin::oid)) AS f(oid)
  UNION SELECT f.oid FROM named_function m JOIN pg_catalog.pg_namespace n ON n.nspname = m.schema
    JOIN pg_catalog.pg_proc f ON f.pronamespace = n.oid AND f.proname = m.name
  UNION SELECT k.castfunc FROM type
    JOIN pg_catalog.pg_cast k ON type.oid IN (k.castsource, k.casttarget)
  UNION SELECT d.refobjid FROM type JOIN pg_catalog.pg_constraint k ON k.contypid = type.oid
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_constraint'::regclass
      AND d.objid = k.oid AND d.refclassid = 'pg_catalog.pg_proc'::regclass
  WHERE type.literal
  UNION SELECT f.oid FROM type JOIN pg_catalog.pg_range g ON g.rngtypid = type.oid
    CROSS JOIN LATERAL (VALUES (g.rngsubdiff::oid), (g.rngcanonical::oid)) AS f(oid)
  WHERE type.literal OR (SELECT elements FROM statement)),
refused(text) AS (
  SELECT 'f ' || pg_catalog.left(n.nspname || '.' || f.proname, 200)
  FROM called w JOIN pg_catalog.pg_proc f ON f.oid = w.oid AND f.prolang NOT IN (12, 13)
    JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace
    JOIN pg_catalog.pg_roles o ON o.oid = f.proowner WHERE NOT o.rolsuper)
)";

}  // namespace

NamedCode named_code(std::string_view statement) {
  NamedCode names;
  const std::vector<std::string_view> pieces = sql_pieces(statement);
  for (std::size_t i = 2; i + 2 < pieces.size(); ++i) {
    const std::string schema = sql_name(pieces[i]);
    if (schema.empty() || schema == kOwnSchema || pieces[i + 1] != ".") continue;
    const std::string name = sql_name(pieces[i + 2]);
    if (pieces[i - 1] == "(" && sql_name(pieces[i - 2]) == "operator")
      names.operators.insert({schema, sign_at(pieces, i + 2)});
    else if (pieces[i - 1] == ":" && pieces[i - 2] == ":")
      names.types.insert({schema, name});
    else if (i + 3 < pieces.size() && pieces[i + 3] == "(")
      names.functions.insert({schema, name});
  }
  return names;
}

std::string named_code_guard_sql(const NamedCode& named, std::string_view statement) {
  const bool elements = statement.find("@>") != std::string_view::npos ||
                        statement.find("<@") != std::string_view::npos;
  std::string sql =
      "WITH RECURSIVE statement(names, elements) AS (SELECT " +
      sql_literal(names_to_cast(statement)) + "::pg_catalog.text, " +
      (elements ? "true" : "false") + "), " + listed("named_operator", named.operators) + ", " +
      listed("named_function", named.functions) + ", " + listed("named_type", named.types) +
      ", locked(oid) AS (" + locked_relations_sql();
  sql += kTypes;
  sql += kCalled;
  return sql + refusal_sql();
}

}  // namespace pg_integrity
