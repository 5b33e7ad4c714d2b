#include "exporter/postgres/obstacle.h"

#include <fmt/format.h>

#include <algorithm>

namespace pg_integrity {

namespace {

// The table of a locked index, and the parent of a locked partition, are in the way, too: a
// statement that names them waits for the lock. An index that the statement names stands for its
// table. Prepared transactions have no pid.
constexpr std::string_view kLocked = R"(
WITH RECURSIVE named(nth, oid) AS (
  SELECT w.nth, coalesce(i.indrelid, c.oid) FROM wanted w
    JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid),
held(oid) AS (
  SELECT l.relation FROM pg_catalog.pg_locks l
    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
      AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
        WHERE d.datname = pg_catalog.current_database())
  UNION SELECT u.oid FROM held h CROSS JOIN LATERAL (
    SELECT i.indrelid FROM pg_catalog.pg_index i WHERE i.indexrelid = h.oid
    UNION ALL SELECT p.inhparent FROM pg_catalog.pg_inherits p WHERE p.inhrelid = h.oid) AS u(oid))
SELECT n.nspname AS schema, c.relname AS name, c.relkind = 'S' AS is_sequence, '' AS role
FROM named JOIN pg_catalog.pg_class c ON c.oid = named.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE named.oid IN (SELECT oid FROM held) ORDER BY named.nth LIMIT 1)";

// A role that may read some columns lacks less than one that may read none.
constexpr std::string_view kForbidden = R"(
SELECT n.nspname AS schema, c.relname AS name, c.relkind = 'S' AS is_sequence,
  current_user AS role
FROM wanted w JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f', 'S', 't')
  AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE')
    AND pg_catalog.has_table_privilege(c.oid, 'SELECT'))
ORDER BY pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT'), w.nth LIMIT 1)";

/// Reads a name in double quotes at `at` and moves behind it.
/// @return nothing if there is none.
std::optional<std::string> quoted_name(std::string_view sql, std::size_t& at) {
  if (at >= sql.size() || sql[at] != '"') return std::nullopt;
  std::string name;
  for (std::size_t i = at + 1; i < sql.size(); ++i) {
    if (sql[i] == '"') {
      if (i + 1 == sql.size() || sql[i + 1] != '"') {
        at = i + 1;
        return name;
      }
      ++i;
    }
    name += sql[i];
  }
  return std::nullopt;
}

/// A table of the names: "(VALUES (0, E'public'::name, E'orders'::name), …)".
std::string wanted(const std::vector<QualifiedName>& names) {
  std::string rows;
  for (std::size_t i = 0; i < names.size(); ++i)
    rows += fmt::format("{}({}, {}::pg_catalog.name, {}::pg_catalog.name)", i == 0 ? "" : ", ", i,
                        sql_literal(names[i].schema), sql_literal(names[i].name));
  return fmt::format("(VALUES {})", rows);
}

std::string statement(Reason reason, const std::vector<QualifiedName>& names) {
  constexpr std::string_view kPlace = "FROM wanted w";
  std::string sql(reason == Reason::lock ? kLocked : kForbidden);
  return sql.replace(sql.find(kPlace), kPlace.size(),
                     fmt::format("FROM {} AS w(nth, schema, name)", wanted(names)));
}

}  // namespace

std::vector<QualifiedName> relations_in(std::string_view sql) {
  std::vector<QualifiedName> names;
  for (std::size_t at = sql.find('"'); at != std::string_view::npos; at = sql.find('"', at)) {
    auto schema = quoted_name(sql, at);
    if (!schema) break;
    if (at >= sql.size() || sql[at] != '.') continue;
    ++at;
    auto name = quoted_name(sql, at);
    if (!name) continue;
    QualifiedName found{*std::move(schema), *std::move(name)};
    if (std::find(names.begin(), names.end(), found) == names.end())
      names.push_back(std::move(found));
  }
  return names;
}

std::optional<Obstacle> find_obstacle(Session& session, Reason reason, std::string_view sql) {
  if (reason != Reason::lock && reason != Reason::permission) return std::nullopt;
  const std::vector<QualifiedName> names = relations_in(sql);
  if (names.empty()) return std::nullopt;
  try {
    const Rows rows = session.query(statement(reason, names));
    if (rows.size() == 0) return std::nullopt;
    const Row row = rows[0];
    return Obstacle{
        {row.text("schema"), row.text("name")}, row.flag("is_sequence"), row.text("role")};
  } catch (const SourceError&) {
    return std::nullopt;  // the first error says more
  }
}

std::optional<Obstacle> named_obstacle(std::string_view sql, std::string_view name) {
  const std::vector<QualifiedName> names = relations_in(sql);
  for (const QualifiedName& one : names)
    if (one.display() == name) return Obstacle{one};
  return names.size() == 1 ? std::optional(Obstacle{names.front()}) : std::nullopt;
}

}  // namespace pg_integrity
