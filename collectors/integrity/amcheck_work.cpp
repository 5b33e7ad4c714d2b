#include "collectors/integrity/amcheck_work.h"

#include <algorithm>
#include <tuple>

#include "collectors/postgres/schema_reader.h"

namespace pg_integrity {

namespace {

constexpr const char* kChecksBTrees = "bt_index_check";
constexpr const char* kChecksGin = "gin_index_check";
constexpr const char* kChecksHeaps = "verify_heapam";

// The extension's own functions, which are C functions of a superuser. Others may have their names.
// PostgreSQL 14 brought verify_heapam, and 18 gin_index_check.
constexpr std::string_view kAmcheckFunctions = R"(
SELECT n.nspname AS schema, f.proname AS name,
  has_function_privilege(f.oid, 'EXECUTE') AND has_schema_privilege(n.oid, 'USAGE') AS allowed
FROM pg_extension e
  JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
  JOIN pg_proc f ON f.oid = d.objid JOIN pg_language l ON l.oid = f.prolang AND l.lanname = 'c'
  JOIN pg_roles r ON r.oid = f.proowner AND r.rolsuper
  JOIN pg_namespace n ON n.oid = f.pronamespace
WHERE e.extname = 'amcheck' AND f.proargtypes[0] = 'regclass'::regtype
  AND (f.proname = 'bt_index_check' AND f.pronargs = 2 AND f.proargtypes[1] = 'boolean'::regtype
    OR f.proname = 'gin_index_check' AND f.pronargs = 1
    OR f.proname = 'verify_heapam' AND f.pronargs = 6))";

// The table c that a relation h belongs to, and its namespace n. A table's number below 16384
// belongs to the system. A standby has nothing of unlogged tables.
#define PGI_OWNING_TABLE                                                            \
  "  LEFT JOIN pg_class o ON h.relkind = 't' AND o.reltoastrelid = h.oid"           \
  "  JOIN pg_class c ON c.oid = CASE h.relkind WHEN 't' THEN o.oid ELSE h.oid END"  \
  "  JOIN pg_namespace n ON n.oid = c.relnamespace"                                 \
  "  JOIN pg_namespace hn ON hn.oid = h.relnamespace"                               \
  "  LEFT JOIN pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid)" \
  "  LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace"                          \
  " WHERE c.relkind IN ('r', 'm') AND (c.oid < 16384 OR " PGI_USER_CLASS            \
  ")"                                                                               \
  "  AND (h.relpersistence = 'p' OR h.relpersistence = 'u' AND NOT pg_is_in_recovery())"
#define PGI_TABLE_COLUMNS                                                         \
  " n.nspname AS schema, c.relname AS table_name, c.oid < 16384 AS system,"       \
  " h.relkind = 't' AS toast, hn.nspname AS heap_schema, h.relname AS heap_name," \
  " coalesce(rn.nspname, n.nspname) AS root_schema, coalesce(r.relname, c.relname) AS root_name"

// The storage collector reports indexes that are not valid.
constexpr std::string_view kAmcheckIndexes =
    "SELECT ic.relname AS name, m.amname AS method," PGI_TABLE_COLUMNS
    " FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid AND ic.relkind = 'i'"
    "  JOIN pg_am m ON m.oid = ic.relam AND m.amname IN ('btree', 'gin')"
    "  JOIN pg_class h ON h.oid = i.indrelid" PGI_OWNING_TABLE
    " AND i.indisvalid AND i.indisready AND i.indislive";

// The catalog's estimate tells how many slices a heap has.
constexpr std::string_view kAmcheckHeaps =
    "SELECT h.relpages AS blocks, current_setting('block_size') AS block_size," PGI_TABLE_COLUMNS
    " FROM pg_class h JOIN pg_am m ON m.oid = h.relam AND m.amname = 'heap'" PGI_OWNING_TABLE
    " ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\", h.relkind";

/// Whether the configuration excludes the table that a row is about.
bool is_excluded(const Row& row, const Schema& schema) {
  return !row.flag("system") && schema.excludes({row.text("root_schema"), row.text("root_name")});
}

/// The types of a function's arguments.
std::string arguments_of(const std::string& function) {
  if (function == kChecksBTrees) return "regclass, boolean";
  if (function == kChecksGin) return "regclass";
  return "regclass, boolean, boolean, text, bigint, bigint";
}

void find_functions(Session& session, AmcheckWork& work) {
  for (const char* name : {kChecksBTrees, kChecksGin, kChecksHeaps})
    work.hints[name] = "the extension amcheck is not installed: CREATE EXTENSION amcheck";
  const Rows rows = session.query(kAmcheckFunctions);
  if (rows.size() != 0)
    for (const char* name : {kChecksGin, kChecksHeaps})
      work.hints[name] = "this version of the extension amcheck has no " + std::string(name);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    const std::string& name = row.text("name");
    const std::string& schema = row.text("schema");
    if (row.flag("allowed"))
      work.functions[name] = sql_identifier(schema) + "." + name;
    else
      work.hints[name] = "our role may not call it: GRANT EXECUTE ON FUNCTION " +
                         QualifiedName{schema, name}.display() + "(" + arguments_of(name) + ")";
  }
}

void find_indexes(Session& session, const Schema& schema, AmcheckWork& work) {
  const Rows rows = session.query(kAmcheckIndexes);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    const std::string& method = row.text("method");
    if (is_excluded(row, schema) || (method == "gin" && !work.may_call(kChecksGin))) continue;
    const bool toast = row.flag("toast");
    const QualifiedName heap{row.text("heap_schema"), row.text("heap_name")};
    work.indexes.push_back({{row.text("schema"), row.text("table_name")},
                            toast ? "(TOAST)" : row.text("name"),
                            {heap.schema, row.text("name")},
                            heap,
                            method,
                            toast || row.flag("system")});
  }
  std::sort(work.indexes.begin(), work.indexes.end(),
            [](const CheckedIndex& a, const CheckedIndex& b) {
              return std::tie(a.table, a.name) < std::tie(b.table, b.name);
            });
}

/// Appends the slices of a heap. A TOAST table comes after its table.
void add_slices(const Row& row, const QualifiedName& table, AmcheckWork& work) {
  const double blocks = row.number("blocks");
  const bool follows = !work.slices.empty() && work.slices.back().table == table;
  if (follows) work.slices.back().ends = false;
  int next = follows ? work.slices.back().ordinal + 1 : 0;
  for (double block = 0; block == 0 || block < blocks; block += kBlocksOfSlice) {
    HeapSlice slice;
    slice.table = table;
    slice.heap = {row.text("heap_schema"), row.text("heap_name")};
    slice.ordinal = next++;
    slice.first_block = block;
    slice.open_ended = block + kBlocksOfSlice >= blocks;
    work.slices.push_back(std::move(slice));
  }
  work.slices.back().ends = true;
}

void find_heaps(Session& session, const Schema& schema, double check_up_to, AmcheckWork& work) {
  const Rows rows = session.query(kAmcheckHeaps);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    if (is_excluded(row, schema)) continue;
    const QualifiedName table{row.text("schema"), row.text("table_name")};
    const bool is_large = !work.large_tables.empty() && work.large_tables.back() == table;
    if (is_large) continue;
    if (row.number("blocks") * row.number("block_size") <= check_up_to) {
      add_slices(row, table, work);
      continue;
    }
    work.large_tables.push_back(table);
    while (!work.slices.empty() && work.slices.back().table == table) work.slices.pop_back();
  }
}

}  // namespace

AmcheckWork amcheck_work(Session& session, const Schema& schema, bool heaps, double check_up_to) {
  AmcheckWork work;
  find_functions(session, work);
  find_indexes(session, schema, work);
  if (heaps && work.may_call(kChecksHeaps)) find_heaps(session, schema, check_up_to, work);
  return work;
}

void add_amcheck_functions(Session& session, std::map<QualifiedName, std::string>& functions) {
  const Rows rows = session.query(kAmcheckFunctions);
  for (std::size_t i = 0; i < rows.size(); ++i)
    functions[{rows[i].text("schema"), rows[i].text("name")}] = arguments_of(rows[i].text("name"));
}

}  // namespace pg_integrity
