#include <array>
#include <stdexcept>

#include "collectors/base/errors.h"
#include "collectors/base/qualified_name.h"
#include "collectors/integrity/row_condition.h"

namespace pg_integrity {

namespace {

struct Relation {
  std::string_view sign;
  std::string_view function;
};

/// PostgreSQL's own functions for enums.
constexpr Relation kEnumRelations[] = {{"<=", "enum_le"}, {">=", "enum_ge"}, {"<>", "enum_ne"},
                                       {"=", "enum_eq"},  {"<", "enum_lt"},  {">", "enum_gt"}};

// The base type of a column, and whether comparing its values runs PostgreSQL's own functions only.
// A domain counts as its base type. Text has operators of its own, varchar has not.
constexpr std::string_view kType = R"(
WITH RECURSIVE base(oid) AS (
  SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attname = $2
    AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT t.typbasetype FROM base JOIN pg_type t ON t.oid = base.oid WHERE t.typtype = 'd')
SELECT CASE WHEN t.oid = 'varchar'::regtype THEN 'pg_catalog.text'
    ELSE format('%I.%I', n.nspname, t.typname) END AS type, t.typtype = 'e' AS enum,
  t.typtype = 'e' OR n.nspname = 'pg_catalog' AND t.typtype IN ('b', 'r') AS own
FROM base JOIN pg_type t ON t.oid = base.oid AND t.typtype <> 'd'
  JOIN pg_namespace n ON n.oid = t.typnamespace)";

struct ComparedType {
  std::string sql;
  bool is_enum = false;
};

ComparedType type_of(Session& session, const QualifiedName& table, const std::string& column) {
  const std::array<std::string, 2> parameters{table.sql(), column};
  const Rows rows = session.query(kType, parameters);
  if (rows.size() == 0)
    throw SourceError(Reason::missing, "table " + table.display() + " has no column " + column);
  if (!rows[0].flag("own"))
    throw SourceError(Reason::unsafe, "the condition would compare column " + column +
                                          ", whose type is not PostgreSQL's own");
  return {rows[0].text("type"), rows[0].flag("enum")};
}

/// Reading a constant runs the input function of its type, which is PostgreSQL's own.
void require_readable(Session& session, const RowCondition& condition, const std::string& list) {
  try {
    session.query("SELECT " + list);
  } catch (const SourceError& error) {
    if (error.reason() != Reason::decode) throw;
    throw SourceError(Reason::config, "the type of column " + condition.column +
                                          " cannot hold what the condition compares it with");
  }
}

/// Compares two values of the type. An operator that fits the type exactly is taken before any cast
/// of a user. Operators on enums do not fit exactly, but the functions behind them leave no choice.
std::string compared(const ComparedType& type, const std::string& column, std::string_view sign,
                     const std::string& value) {
  if (!type.is_enum) return column + " OPERATOR(pg_catalog." + std::string(sign) + ") " + value;
  const std::string arguments = "(" + column + ", " + value + ")";
  for (const Relation& relation : kEnumRelations)
    if (relation.sign == sign)
      return std::string("pg_catalog.").append(relation.function).append(arguments);
  throw std::logic_error("a condition has an unknown relation");
}

std::string condition_sql(Session& session, const QualifiedName& table, const std::string& row,
                          const RowCondition& condition) {
  const ComparedType type = type_of(session, table, condition.column);
  const std::string name = row + "." + sql_identifier(condition.column);
  if (condition.constants.empty()) return name + " " + condition.relation;
  const bool list = condition.relation == "IN" || condition.relation == "NOT IN";
  std::string values, any;
  for (const std::string& constant : condition.constants) {
    const std::string value = sql_literal(constant) + "::" + type.sql;
    values += (values.empty() ? "" : ", ") + value;
    any += (any.empty() ? "" : " OR ") +
           compared(type, name + "::" + type.sql, list ? "=" : condition.relation, value);
  }
  require_readable(session, condition, values);
  return (condition.relation == "NOT IN" ? "NOT (" : "(") + any + ")";
}

}  // namespace

std::string conditions_sql(Session& session, const QualifiedName& table, const std::string& row,
                           const std::vector<RowCondition>& conditions) {
  std::string sql;
  for (const RowCondition& condition : conditions)
    sql += (sql.empty() ? "" : " AND ") + condition_sql(session, table, row, condition);
  return sql;
}

}  // namespace pg_integrity
