#include <algorithm>

#include "collectors/base/glob.h"
#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/schema_reader.h"

namespace pg_integrity {

namespace {

// The planner's row estimate is -1 (0 before version 14) until the first VACUUM or ANALYZE. The
// estimate of a partition root is the sum over its leaves, and unknown if that of any leaf is. That
// of a table with heirs is the sum over it and them. UNION takes an heir of two parents once.
//
// A standby has no rows of unlogged tables and refuses to read them.
constexpr std::string_view kTables = R"(
WITH RECURSIVE part(root, oid) AS (
  SELECT i.inhparent, i.inhrelid FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
  WHERE p.relkind IN ('r', 'p') AND NOT p.relispartition
  UNION
  SELECT part.root, i.inhrelid FROM part JOIN pg_inherits i ON i.inhparent = part.oid),
leaf AS (
  SELECT part.root, l.relkind, l.relpages, l.relpersistence,
    CASE WHEN l.reltuples > 0 OR l.relpages > 0 OR (l.reltuples = 0 AND
      current_setting('server_version_num')::int >= 140000) THEN l.reltuples::float8 END AS tuples
  FROM part JOIN pg_class l ON l.oid = part.oid
  WHERE l.relkind <> 'p' AND l.relpersistence <> 't'),
root AS (
  SELECT root, bool_or(relkind = 'f') AS foreign_leaf,
    bool_or(relpersistence = 'u') AS unlogged_leaf, sum(relpages::float8) AS pages,
    CASE WHEN count(*) = count(tuples) THEN sum(tuples) END AS tuples
  FROM leaf GROUP BY root)
SELECT n.nspname AS schema, c.relname AS name, c.relkind = 'p' AS partitioned,
  coalesce(r.foreign_leaf, false) AS foreign_leaf,
  pg_is_in_recovery() AND (c.relpersistence = 'u' OR coalesce(r.unlogged_leaf, false)) AS unlogged,
  CASE WHEN c.relkind = 'p' THEN r.tuples
    WHEN c.reltuples > 0 OR c.relpages > 0 OR (c.reltuples = 0 AND
      current_setting('server_version_num')::int >= 140000) THEN c.reltuples::float8
      + CASE WHEN r.root IS NULL THEN 0 ELSE r.tuples END END AS rows,
  (CASE WHEN c.relkind = 'p' THEN r.pages ELSE c.relpages + coalesce(r.pages, 0) END)
    * current_setting('block_size')::float8 AS bytes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN root r ON r.root = c.oid
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND )" PGI_USER_CLASS;

constexpr std::string_view kColumns = R"(
WITH RECURSIVE base(domain, oid) AS (
  SELECT oid, typbasetype FROM pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT base.domain, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.oid WHERE t.typtype = 'd')
SELECT n.nspname AS schema, c.relname AS table_name, a.attname AS name, a.attnotnull AS not_null,
  CASE WHEN b.typnamespace <> 'pg_catalog'::regnamespace THEN 'other' ELSE b.typname END AS type,
  EXISTS (SELECT FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
    JOIN pg_am m ON m.oid = ic.relam WHERE i.indrelid = c.oid AND i.indisvalid
    AND i.indpred IS NULL AND i.indkey[0] = a.attnum AND m.amname = 'btree') AS leads_index
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN base ON base.domain = a.atttypid
  JOIN pg_type b ON b.oid = coalesce(base.oid, a.atttypid) AND b.typtype <> 'd'
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND )" PGI_USER_CLASS
                                      " ORDER BY c.oid, a.attnum";

constexpr std::string_view kUniqueKeys = R"(
SELECT n.nspname AS schema, c.relname AS table_name, k.conname AS name, k.contype = 'p' AS primary,
  a.attname AS column_name
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS u(attnum, position)
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attnum
WHERE k.contype IN ('p', 'u') AND NOT c.relispartition AND )" PGI_USER_CLASS
                                         " ORDER BY k.oid, u.position";

constexpr std::string_view kTriggers = R"(
SELECT n.nspname AS schema, c.relname AS table_name, count(*) AS triggers
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND )" PGI_USER_CLASS
                                       " GROUP BY 1, 2";

constexpr std::string_view kSequences = R"(
SELECT n.nspname AS schema, c.relname AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND )" PGI_USER_CLASS;

ColumnType column_type(std::string_view name) {
  struct Known {
    std::string_view name;
    ColumnType type;
  };
  static constexpr Known kKnown[] = {
      {"timestamptz", ColumnType::timestamptz},
      {"timestamp", ColumnType::timestamp},
      {"date", ColumnType::date},
      {"text", ColumnType::text},
      {"varchar", ColumnType::text},
      {"bpchar", ColumnType::text},
      {"name", ColumnType::text},
      {"bool", ColumnType::boolean},
      {"int2", ColumnType::number},
      {"int4", ColumnType::number},
      {"int8", ColumnType::number},
      {"numeric", ColumnType::number},
      {"float4", ColumnType::number},
      {"float8", ColumnType::number},
  };
  for (const Known& known : kKnown)
    if (known.name == name) return known.type;
  return ColumnType::other;
}

/// The table that a catalog row belongs to. nullptr if it is excluded or newer than read_tables().
Table* table_of(Schema& schema, const Row& row) {
  return schema.table({row.text("schema"), row.text("table_name")});
}

}  // namespace

void read_tables(Session& session, const std::vector<std::string>& exclude, Schema& into) {
  const Rows rows = session.query(kTables);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    Table table;
    table.name = {row.text("schema"), row.text("name")};
    if (matches_any_glob(exclude, table.name.display())) {
      ++into.excluded_tables;
      continue;
    }
    if (row.flag("unlogged")) {
      into.unlogged.push_back(table.name);
      continue;
    }
    table.partitioned = row.flag("partitioned");
    table.has_foreign_partition = row.flag("foreign_leaf");
    table.estimated_rows = row.maybe_number("rows");
    if (table.estimated_rows) table.estimated_bytes = row.maybe_number("bytes");
    into.tables.push_back(std::move(table));
  }
  std::sort(into.tables.begin(), into.tables.end(),
            [](const Table& a, const Table& b) { return a.name < b.name; });
  std::sort(into.unlogged.begin(), into.unlogged.end());
}

void read_columns(Session& session, Schema& into) {
  const Rows rows = session.query(kColumns);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    if (Table* table = table_of(into, row))
      table->columns.push_back({row.text("name"), column_type(row.text("type")),
                                row.flag("not_null"), row.flag("leads_index")});
  }
}

void read_unique_keys(Session& session, Schema& into) {
  const Rows rows = session.query(kUniqueKeys);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    Table* table = table_of(into, row);
    if (table == nullptr) continue;
    if (table->keys.empty() || table->keys.back().name != row.text("name"))
      table->keys.push_back({row.text("name"), row.flag("primary"), {}});
    table->keys.back().columns.push_back(row.text("column_name"));
  }
}

void count_triggers_and_sequences(Session& session, const std::vector<std::string>& exclude,
                                  Schema& into) {
  const Rows triggers = session.query(kTriggers);
  for (std::size_t i = 0; i < triggers.size(); ++i)
    if (const Table* table = table_of(into, triggers[i]);
        table != nullptr
            ? !table->part_of_parent
            : into.is_unlogged({triggers[i].text("schema"), triggers[i].text("table_name")}))
      into.triggers += static_cast<std::size_t>(triggers[i].number("triggers"));
  const Rows sequences = session.query(kSequences);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const QualifiedName name{sequences[i].text("schema"), sequences[i].text("name")};
    if (!matches_any_glob(exclude, name.display())) ++into.sequences;
  }
}

}  // namespace pg_integrity
