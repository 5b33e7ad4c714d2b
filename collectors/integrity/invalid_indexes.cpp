#include "collectors/integrity/invalid_indexes.h"

#include "collectors/postgres/schema_reader.h"

namespace pg_integrity {

namespace {

// An index that is being built or dropped is no finding. Its session's lock tells, which is seen
// without further rights.
//
// CREATE INDEX CONCURRENTLY locks the table all the while and has a row in the progress view. DROP
// INDEX CONCURRENTLY and REINDEX CONCURRENTLY hold that lock on the index itself. The index of a
// partitioned table is not valid while it waits for indexes of its partitions to be attached. It
// never had rows of its own.
//
// A table's number below 16384 belongs to the system. Tables of information_schema are among them.
constexpr std::string_view kInvalid = R"(
SELECT c.oid < 16384 AS system, n.nspname AS schema, c.relname AS table_name,
  h.relkind = 't' AS toast, xn.nspname AS index_schema, ic.relname AS index,
  ic.relkind = 'I' AS waits, coalesce(rn.nspname, n.nspname) AS root_schema,
  coalesce(r.relname, c.relname) AS root_name
FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_class h ON h.oid = i.indrelid
  JOIN pg_namespace xn ON xn.oid = ic.relnamespace
  LEFT JOIN pg_class o ON h.relkind = 't' AND o.reltoastrelid = h.oid
  JOIN pg_class c ON c.oid = CASE h.relkind WHEN 't' THEN o.oid ELSE h.oid END
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid)
  LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) AND (c.oid < 16384 OR )" PGI_USER_CLASS
                                      R"()
  AND NOT EXISTS (
  SELECT FROM pg_stat_progress_create_index p JOIN pg_locks l ON l.pid = p.pid
    JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
  WHERE l.locktype = 'relation' AND l.relation = i.indrelid)
  AND NOT EXISTS (
  SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    AND d.datname = current_database()
  WHERE l.locktype = 'relation' AND l.relation = i.indexrelid AND l.granted
    AND l.mode = 'ShareUpdateExclusiveLock')
ORDER BY 2, 5, 6)";

constexpr std::string_view kMaterializedViews = R"(
SELECT n.nspname AS schema, c.relname AS name FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm' AND )" PGI_USER_CLASS;

}  // namespace

std::string InvalidIndex::told() const {
  const std::string name = "index " + index.display();
  if (waits)
    return name + " waits for indexes of all partitions. HINT: ALTER INDEX … ATTACH PARTITION";
  const bool leftover = index.name.find("_ccnew") != std::string::npos ||
                        index.name.find("_ccold") != std::string::npos;
  const std::string hint = leftover ? "DROP INDEX, as REINDEX CONCURRENTLY left it behind"
                           : toast_of.empty()
                               ? "REINDEX INDEX, or drop it"
                               : "PostgreSQL cannot rebuild it, the runbook says how";
  return name + (toast_of.empty() ? "" : ", of the TOAST table of " + toast_of + ",") +
         " is not valid. HINT: " + hint;
}

std::vector<InvalidIndex> invalid_indexes(Session& session, const Schema& schema) {
  std::vector<InvalidIndex> found;
  const Rows rows = session.query(kInvalid);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    const bool system = row.flag("system");
    if (!system && schema.excludes({row.text("root_schema"), row.text("root_name")})) continue;
    const QualifiedName table{row.text("schema"), row.text("table_name")};
    found.push_back({system ? "pg_catalog" : table.schema,
                     {row.text("index_schema"), row.text("index")},
                     row.flag("toast") ? table.display() : "",
                     row.flag("waits")});
  }
  return found;
}

std::set<std::string> indexed_schemas(Session& session, const Schema& schema) {
  std::set<std::string> names{"pg_catalog"};
  for (const Table& table : schema.tables) names.insert(table.name.schema);
  const Rows views = session.query(kMaterializedViews);
  for (std::size_t i = 0; i < views.size(); ++i) {
    const QualifiedName view{views[i].text("schema"), views[i].text("name")};
    if (!schema.excludes(view)) names.insert(view.schema);
  }
  return names;
}

}  // namespace pg_integrity
