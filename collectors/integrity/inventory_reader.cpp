#include "collectors/integrity/inventory_reader.h"

#include <algorithm>
#include <tuple>

#include "collectors/ports/session.h"
#include "collectors/postgres/schema_reader.h"

namespace pg_integrity::inventory {

namespace {

// One row for each thing: the letter of its kind, the schema and the name of its table or sequence,
// its own name, and a fact.
//
// kind          item                      fact
// table         'part' if it is one       its rows
// sequence      the table that owns it    the schema of that table
// all others    its name                  whether it works
//
// pg_stat_get_live_tuples() knows of rows before the first ANALYZE.
constexpr std::string_view kTables = R"(
WITH RECURSIVE part(root, oid) AS (
  SELECT i.inhparent, i.inhrelid FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
  WHERE p.relkind IN ('r', 'p') AND NOT p.relispartition
  UNION
  SELECT part.root, i.inhrelid FROM part JOIN pg_inherits i ON i.inhparent = part.oid),
member AS (
  SELECT oid AS root, oid FROM pg_class WHERE relkind IN ('r', 'p') AND oid >= 16384
  UNION ALL SELECT root, oid FROM part),
filled AS (
  SELECT m.root, sum(greatest(l.reltuples::float8, pg_stat_get_live_tuples(l.oid)::float8,
    CASE WHEN l.relpages > 0 THEN 1 ELSE 0 END)) AS rows
  FROM member m JOIN pg_class l ON l.oid = m.oid WHERE l.relkind = 'r' GROUP BY m.root)
SELECT 'T' AS kind, n.nspname::text AS schema, c.relname::text AS name,
  CASE WHEN c.relispartition OR NOT ()" PGI_USER_CLASS
                                     R"() THEN 'part' ELSE '' END AS item,
  coalesce(f.rows, 0)::text AS fact
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN filled f ON f.root = c.oid
WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND c.relpersistence <> 't'
  AND n.nspname <> 'pg_catalog' AND n.nspname <> 'information_schema'
  AND n.nspname !~ '^pg_(toast|temp_|toast_temp_)')";

constexpr std::string_view kSequences = R"(
UNION ALL
SELECT 'S', n.nspname::text, c.relname::text, coalesce(o.relname::text, ''),
  coalesce(own.nspname::text, '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
    AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
  LEFT JOIN pg_class o ON o.oid = d.refobjid LEFT JOIN pg_namespace own ON own.oid = o.relnamespace
WHERE c.relkind = 'S' AND )" PGI_USER_CLASS;

#define PGI_OF_A_TABLE \
  " AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.oid >= 16384 AND " PGI_USER_CLASS

// An inherited constraint goes with that of the parent. NOT NULL is named by its column.
constexpr std::string_view kConstraints = R"(
UNION ALL
SELECT k.contype::text, n.nspname::text, c.relname::text, k.conname::text, (ENFORCED)::text
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (k.contype IN ('p', 'u', 'x') OR k.contype = 'f' AND k.conparentid = 0
  OR k.contype = 'c' AND k.conislocal))" PGI_OF_A_TABLE R"(
UNION ALL
SELECT 'n', n.nspname::text, c.relname::text, a.attname::text, 'true'
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND a.attislocal)" PGI_OF_A_TABLE;

constexpr std::string_view kTriggersAndIndexes = R"(
UNION ALL
SELECT 't', n.nspname::text, c.relname::text, t.tgname::text, (t.tgenabled IN ('O', 'A'))::text
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal)" PGI_OF_A_TABLE R"(
UNION ALL
SELECT CASE WHEN i.indisunique THEN 'U' ELSE 'i' END, n.nspname::text, c.relname::text,
  x.relname::text, i.indisvalid::text
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.oid
  AND k.contype IN ('p', 'u', 'x')))" PGI_OF_A_TABLE;

std::string names_sql(int version_num) {
  std::string constraints(kConstraints);
  const std::string_view enforced = version_num >= 180000 ? "k.conenforced" : "true";
  constraints.replace(constraints.find("ENFORCED"), 8, enforced);
  return std::string(kTables) + std::string(kSequences) + constraints +
         std::string(kTriggersAndIndexes);
}

bool is_part(const Schema& schema, const Row& row, const QualifiedName& name) {
  if (!row.text("item").empty()) return true;
  const Table* table = schema.table(name);
  return table != nullptr && table->part_of_parent;
}

void add_table_or_sequence(const Schema& schema, const Row& row, Found& found) {
  QualifiedName name{row.text("schema"), row.text("name")};
  if (schema.excludes(name)) return;
  if (row.text("kind") == "S") {
    FoundSequence& sequence = found.sequences[std::move(name)];
    if (!row.text("item").empty()) sequence.owner = {row.text("fact"), row.text("item")};
  } else if (is_part(schema, row, name)) {
    found.parts.insert(std::move(name));
  } else {
    found.tables[std::move(name)].rows = row.number("fact");
  }
}

/// Marks the foreign keys whose triggers do not all fire.
void mark_switched_off(const Schema& schema, Found& found) {
  for (const ForeignKey& key : schema.foreign_keys) {
    const auto table = found.tables.find(key.child);
    if (key.enforced || table == found.tables.end()) continue;
    for (FoundItem& item : table->second.items)
      if (item.kind == Kind::foreign_key && item.name == key.name) item.works = false;
  }
}

}  // namespace

Found read_inventory(Session& session, const Schema& schema) {
  const Rows rows = session.query(names_sql(session.server().version_num));
  Found found;
  const auto is_whole = [](const Row& row) {
    return row.text("kind") == "T" || row.text("kind") == "S";
  };
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (is_whole(rows[i])) add_table_or_sequence(schema, rows[i], found);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    const auto kind = kind_of(row.text("kind"));
    const auto table = found.tables.find({row.text("schema"), row.text("name")});
    if (is_whole(row) || !kind || table == found.tables.end()) continue;
    table->second.items.push_back({*kind, row.text("item"), row.text("fact") == "true"});
  }
  mark_switched_off(schema, found);
  for (auto& [name, table] : found.tables)
    std::sort(table.items.begin(), table.items.end(), [](const FoundItem& a, const FoundItem& b) {
      return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
    });
  return found;
}

}  // namespace pg_integrity::inventory
