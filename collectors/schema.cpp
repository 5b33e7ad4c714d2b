#include "collectors/schema.h"

#include <algorithm>
#include <map>
#include <set>

#include "collectors/glob.h"

namespace pg_integrity {

namespace {

constexpr Seconds kLifetime{60};

// Which classes are anybody's own tables. Used by every statement below on alias c (namespace n).
#define PGI_USER_CLASS                                                              \
  " n.nspname <> 'pg_catalog' AND n.nspname <> 'information_schema'"                \
  " AND n.nspname !~ '^pg_(toast|temp_|toast_temp_)' AND c.relpersistence <> 't'"   \
  " AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass" \
  " AND e.objid = c.oid AND e.deptype = 'e')"

// The planner's row estimate is -1 (0 before version 14) until the first VACUUM or ANALYZE; a
// partition root's is the sum over its leaves, unknown if any of them is.
constexpr std::string_view kTables = R"(
WITH RECURSIVE part(root, oid) AS (
  SELECT i.inhparent, i.inhrelid FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
  WHERE p.relkind = 'p' AND NOT p.relispartition
  UNION ALL
  SELECT part.root, i.inhrelid FROM part JOIN pg_inherits i ON i.inhparent = part.oid),
leaf AS (
  SELECT part.root, l.relkind, l.relpages,
    CASE WHEN l.reltuples > 0 OR l.relpages > 0 OR (l.reltuples = 0 AND
      current_setting('server_version_num')::int >= 140000) THEN l.reltuples::float8 END AS tuples
  FROM part JOIN pg_class l ON l.oid = part.oid WHERE l.relkind <> 'p'),
root AS (
  SELECT root, bool_or(relkind = 'f') AS foreign_leaf, sum(relpages::float8) AS pages,
    CASE WHEN count(*) = count(tuples) THEN sum(tuples) END AS tuples
  FROM leaf GROUP BY root)
SELECT n.nspname AS schema, c.relname AS name, c.relkind = 'p' AS partitioned,
  coalesce(r.foreign_leaf, false) AS foreign_leaf,
  CASE WHEN c.relkind = 'p' THEN r.tuples
    WHEN c.reltuples > 0 OR c.relpages > 0 OR (c.reltuples = 0 AND
      current_setting('server_version_num')::int >= 140000) THEN c.reltuples::float8 END AS rows,
  (CASE WHEN c.relkind = 'p' THEN r.pages ELSE c.relpages END)
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

// The key's own operators compare parent (left) with child (right); a column of another type is
// cast to what the operator takes and collations that differ are settled by the parent's, as
// ri_triggers.c does. A logical key is one row of pg_constraint with conparentid = 0; its clones on
// partitions hang below it and own triggers of their own.
//
// Whoever owns a type may define a cast of it, and hence code that such a key would run. A cast is
// trusted if it is none (a domain and its base, castmethod 'b', which only a superuser defines) or
// if a superuser owns its function. Belonging to an extension is not enough: the owner of a trusted
// extension, who need be nobody special, may add functions to it. Operators that take any type of
// a sort (anyenum, record) need no cast: with one that somebody made implicit they are ambiguous at
// worst, which is an error.
constexpr std::string_view kForeignKeysHead = R"(
WITH RECURSIVE family(root, oid) AS (
  SELECT oid, oid FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
  UNION ALL
  SELECT f.root, k.oid FROM family f JOIN pg_constraint k ON k.conparentid = f.oid),
firing AS (
  SELECT f.root, bool_and(t.tgenabled IN ('O', 'A')) AS all_fire
  FROM family f JOIN pg_trigger t ON t.tgconstraint = f.oid AND t.tgisinternal GROUP BY f.root),
base(domain, oid) AS (
  SELECT oid, typbasetype FROM pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT base.domain, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.oid WHERE t.typtype = 'd'),
plain(source, target) AS (
  SELECT b.domain, b.oid FROM base b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype <> 'd'),
trusted(source, target) AS (
  SELECT k.castsource, k.casttarget FROM pg_cast k LEFT JOIN pg_proc f ON f.oid = k.castfunc
    LEFT JOIN pg_roles r ON r.oid = f.proowner WHERE k.castmethod = 'b' OR r.rolsuper)
SELECT k.oid, k.conname AS name, n.nspname AS child_schema, c.relname AS child_name,
  c.relkind = 'p' AS child_partitioned, pn.nspname AS parent_schema, p.relname AS parent_name,
  p.relkind = 'p' AS parent_partitioned, k.confmatchtype = 'f' AS match_full,
  k.convalidated AS validated, coalesce(firing.all_fire, false) AS all_fire,
  EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL
    AND i.indnkeyatts >= cardinality(k.conkey)
    AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
    AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] <@ k.conkey) AS indexed,
  ca.attname AS child_column, pa.attname AS parent_column,
  format('OPERATOR(%I.%s)', opn.nspname, o.oprname) AS comparison,
  CASE WHEN o.oprleft <> pa.atttypid AND lt.typtype <> 'p'
    THEN format('::%I.%I', ltn.nspname, lt.typname) ELSE '' END AS parent_cast,
  CASE WHEN o.oprright <> ca.atttypid AND rt.typtype <> 'p'
    THEN format('::%I.%I', rtn.nspname, rt.typname) ELSE '' END AS child_cast,
  CASE WHEN pa.attcollation <> ca.attcollation AND pa.attcollation <> 0
    THEN format(' COLLATE %I.%I', cln.nspname, cl.collname) ELSE '' END AS collation,
  EXISTS (SELECT FROM (VALUES (pa.atttypid, o.oprleft, lt.typtype),
      (ca.atttypid, o.oprright, rt.typtype)) AS side(own, wanted, kind)
    LEFT JOIN plain ON plain.source = own
    WHERE kind <> 'p' AND coalesce(plain.target, own) <> wanted AND NOT EXISTS (
      SELECT FROM trusted t WHERE t.source = coalesce(plain.target, own) AND t.target = wanted))
    AS foreign_cast,
)";

constexpr std::string_view kForeignKeysTail = R"(
FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
  LEFT JOIN firing ON firing.root = k.oid
  CROSS JOIN LATERAL unnest(k.conkey, k.confkey, k.conpfeqop) WITH ORDINALITY
    AS u(child_attnum, parent_attnum, operator, position)
  JOIN pg_attribute ca ON ca.attrelid = c.oid AND ca.attnum = u.child_attnum
  JOIN pg_attribute pa ON pa.attrelid = p.oid AND pa.attnum = u.parent_attnum
  JOIN pg_operator o ON o.oid = u.operator JOIN pg_namespace opn ON opn.oid = o.oprnamespace
  JOIN pg_type lt ON lt.oid = o.oprleft JOIN pg_namespace ltn ON ltn.oid = lt.typnamespace
  JOIN pg_type rt ON rt.oid = o.oprright JOIN pg_namespace rtn ON rtn.oid = rt.typnamespace
  LEFT JOIN pg_collation cl ON cl.oid = pa.attcollation
  LEFT JOIN pg_namespace cln ON cln.oid = cl.collnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND )" PGI_USER_CLASS " ORDER BY k.oid, u.position";

// The planner looks at every index, extended statistics and partition key of a table, and of its
// partitions, and computes what is constant in their expressions: whoever owns a table could have
// an IMMUTABLE function of theirs called by any statement about it, count(*) included. Seen from
// the functions, of which few belong to no superuser.
constexpr std::string_view kForeignCode = R"(
WITH foreign_function AS (
  SELECT f.oid FROM pg_proc f
  WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = f.proowner AND r.rolsuper)),
code(classid, oid) AS (
  SELECT 'pg_proc'::regclass::oid, oid FROM foreign_function
  UNION ALL
  SELECT 'pg_operator'::regclass::oid, o.oid
  FROM pg_operator o JOIN foreign_function f ON f.oid = o.oprcode),
used(relation) AS (
  SELECT DISTINCT coalesce(i.indrelid, s.stxrelid, d.objid)
  FROM code JOIN pg_depend d ON d.refclassid = code.classid AND d.refobjid = code.oid
    LEFT JOIN pg_index i ON d.classid = 'pg_class'::regclass AND i.indexrelid = d.objid
    LEFT JOIN pg_statistic_ext s ON d.classid = 'pg_statistic_ext'::regclass AND s.oid = d.objid
  WHERE d.classid IN ('pg_class'::regclass, 'pg_statistic_ext'::regclass))
SELECT DISTINCT n.nspname AS schema, c.relname AS name
FROM used CROSS JOIN LATERAL (
    SELECT used.relation AS oid
    UNION ALL SELECT a.relid FROM pg_partition_ancestors(used.relation) a) AS planned
  JOIN pg_class c ON c.oid = planned.oid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p'))";

constexpr std::string_view kTriggers = R"(
SELECT n.nspname AS schema, c.relname AS table_name, count(*) AS triggers
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND )" PGI_USER_CLASS
                                       " GROUP BY 1, 2";

constexpr std::string_view kSequences = R"(
SELECT n.nspname AS schema, c.relname AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND )" PGI_USER_CLASS;

#undef PGI_USER_CLASS

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

std::string foreign_keys_sql(int version_num) {
  std::string sql(kForeignKeysHead);
  sql += version_num >= 180000 ? "k.conenforced AS enforced, k.conperiod AS temporal"
                               : "true AS enforced, false AS temporal";
  sql += kForeignKeysTail;
  return sql;
}

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
    table.partitioned = row.flag("partitioned");
    table.has_foreign_partition = row.flag("foreign_leaf");
    table.estimated_rows = row.maybe_number("rows");
    if (table.estimated_rows) table.estimated_bytes = row.maybe_number("bytes");
    into.tables.push_back(std::move(table));
  }
  std::sort(into.tables.begin(), into.tables.end(),
            [](const Table& a, const Table& b) { return a.name < b.name; });
}

template <typename Tables>
auto find_table(Tables& tables, const QualifiedName& name) -> decltype(tables.data()) {
  const auto found = std::lower_bound(
      tables.begin(), tables.end(), name,
      [](const Table& table, const QualifiedName& key) { return table.name < key; });
  return found == tables.end() || found->name != name ? nullptr : &*found;
}

/// The table that a catalog row is about; nullptr if it is excluded or newer than read_tables().
Table* table_of(Schema& schema, const Row& row) {
  return find_table(schema.tables, {row.text("schema"), row.text("table_name")});
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

ForeignKey foreign_key_from(const Row& row) {
  ForeignKey key;
  key.name = row.text("name");
  key.child = {row.text("child_schema"), row.text("child_name")};
  key.parent = {row.text("parent_schema"), row.text("parent_name")};
  key.child_partitioned = row.flag("child_partitioned");
  key.parent_partitioned = row.flag("parent_partitioned");
  key.match_full = row.flag("match_full");
  key.validated = row.flag("validated");
  key.enforced = row.flag("enforced") && row.flag("all_fire");
  key.indexed = row.flag("indexed");
  key.temporal = row.flag("temporal");
  return key;
}

void read_foreign_keys(Session& session, const std::vector<std::string>& exclude, Schema& into) {
  const Rows rows = session.query(foreign_keys_sql(session.server().version_num));
  std::string open_oid;
  bool skipping = false;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    if (row.text("oid") != open_oid) {
      open_oid = row.text("oid");
      ForeignKey key = foreign_key_from(row);
      skipping = matches_any_glob(exclude, key.child.display());
      if (skipping)
        ++into.excluded_foreign_keys;
      else
        into.foreign_keys.push_back(std::move(key));
    }
    if (skipping) continue;
    ForeignKey& key = into.foreign_keys.back();
    key.columns.push_back({row.text("child_column"), row.text("parent_column"),
                           row.text("comparison"), row.text("parent_cast"), row.text("child_cast"),
                           row.text("collation")});
    key.foreign_cast = key.foreign_cast || row.flag("foreign_cast");
  }
  std::sort(into.foreign_keys.begin(), into.foreign_keys.end(),
            [](const ForeignKey& a, const ForeignKey& b) {
              return std::tie(a.child, a.name) < std::tie(b.child, b.name);
            });
}

void find_foreign_code(Session& session, Schema& into) {
  const Rows rows = session.query(kForeignCode);
  std::set<QualifiedName> found;
  for (std::size_t i = 0; i < rows.size(); ++i)
    found.insert({rows[i].text("schema"), rows[i].text("name")});
  for (Table& table : into.tables) table.foreign_code = found.contains(table.name);
  for (ForeignKey& key : into.foreign_keys)
    key.foreign_code = found.contains(key.child) || found.contains(key.parent);
}

void count_triggers_and_sequences(Session& session, const std::vector<std::string>& exclude,
                                  Schema& into) {
  const Rows triggers = session.query(kTriggers);
  for (std::size_t i = 0; i < triggers.size(); ++i)
    if (table_of(into, triggers[i]) != nullptr)
      into.triggers += static_cast<std::size_t>(triggers[i].number("triggers"));
  const Rows sequences = session.query(kSequences);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const QualifiedName name{sequences[i].text("schema"), sequences[i].text("name")};
    if (!matches_any_glob(exclude, name.display())) ++into.sequences;
  }
}

}  // namespace

std::string sql_identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

const Column* Table::column(std::string_view column_name) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const Column& column) { return column.name == column_name; });
  return found == columns.end() ? nullptr : &*found;
}

std::string Table::from_clause() const {
  if (foreign_code)
    throw SourceError(Reason::unsafe,
                      "any look at " + name.display() + std::string(kForeignCodeRuns));
  return partitioned ? name.sql() : "ONLY " + name.sql();
}

const Table* Schema::table(const QualifiedName& name) const {
  return find_table(tables, name);
}

std::shared_ptr<const Schema> load_schema(Session& session, const std::vector<std::string>& exclude,
                                          Instant now) {
  auto schema = std::make_shared<Schema>();
  schema->loaded_at = now;
  read_tables(session, exclude, *schema);
  read_columns(session, *schema);
  read_unique_keys(session, *schema);
  read_foreign_keys(session, exclude, *schema);
  find_foreign_code(session, *schema);
  count_triggers_and_sequences(session, exclude, *schema);
  return schema;
}

std::shared_ptr<const Schema> SharedSchema::get(Session& session, Instant now) {
  std::size_t known_contradictions = 0;
  {
    const std::lock_guard lock(mutex_);
    if (newest_ && now - newest_->loaded_at < kLifetime) return newest_;
    known_contradictions = contradictions_;
  }
  auto loaded = load_schema(session, exclude_, now);
  const std::lock_guard lock(mutex_);
  // Contradicted meanwhile: what was read may be older than what contradicts it.
  if (contradictions_ == known_contradictions) newest_ = loaded;
  return loaded;
}

void SharedSchema::contradict() {
  const std::lock_guard lock(mutex_);
  newest_ = nullptr;
  ++contradictions_;
}

}  // namespace pg_integrity
