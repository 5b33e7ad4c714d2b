#include "collectors/integrity/unique_keys.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "collectors/base/errors.h"
#include "collectors/base/qualified_name.h"

namespace pg_integrity {

namespace {

// Invalid indexes (still being built, or failed) promise nothing and are left out. So are indexes
// of partitions that belong to an index of the root.
constexpr std::string_view kUniqueIndexes = R"(
SELECT n.nspname AS schema, c.relname AS table_name, c.relkind = 'p' AS partitioned,
  ic.relname AS name, greatest(c.reltuples, 0) AS rows,
  CASE WHEN c.relkind = 'r' AND (c.reltuples > 0 OR c.relpages > 0)
    THEN c.relpages * current_setting('block_size')::float8 END AS bytes,
  coalesce(rn.nspname, n.nspname) AS root_schema, coalesce(r.relname, c.relname) AS root_name,
  CASE WHEN plain THEN k.columns END AS columns,
  CASE WHEN plain THEN dense_rank() OVER (ORDER BY plain, k.types, i.indclass::text,
    i.indcollation::text, to_jsonb(i) ->> 'indnullsnotdistinct') ELSE 0 END AS shape
FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid)
  LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
  JOIN pg_am m ON m.oid = ic.relam
  CROSS JOIN LATERAL (SELECT
    i.indexprs IS NULL AND i.indpred IS NULL AND m.amname = 'btree' AS plain) p
  CROSS JOIN LATERAL (
    SELECT string_agg(quote_ident(a.attname), ',' ORDER BY ia.attnum) AS columns,
      string_agg(ia.atttypid::text, ' ' ORDER BY ia.attnum) AS types
    FROM pg_attribute ia
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[ia.attnum - 1]
    WHERE ia.attrelid = i.indexrelid AND ia.attnum <= i.indnkeyatts) k
WHERE i.indisunique AND NOT i.indisexclusion AND i.indisvalid AND i.indislive AND NOT ic.relispartition
  AND c.relkind IN ('r', 'p') AND n.nspname <> 'pg_catalog')";

// The columns in the order of the index, and how its operator classes sort them. Under a
// deterministic collation, equal means equal bytes, and "C" sorts bytes much faster.
constexpr std::string_view kIndexColumns = R"()
SELECT trusted, pg_get_indexdef(i.indexrelid, u.position::int, false) AS expression,
  pg_get_expr(i.indpred, i.indrelid) AS predicate,
  format('OPERATOR(%I.%s)', n.nspname, o.oprname) AS less,
  CASE WHEN t.typtype <> 'p' AND a.atttypid <> t.oid
    THEN format('::%I.%I', tn.nspname, t.typname) ELSE '' END AS cast,
  CASE WHEN l.oid IS NULL THEN '' WHEN l.collisdeterministic AND cn.nspname = 'pg_catalog'
    THEN ' COLLATE pg_catalog."C"' ELSE format(' COLLATE %I.%I', ln.nspname, l.collname) END
    AS collation, )";
constexpr std::string_view kOfIndex = R"(
FROM trust CROSS JOIN pg_index i
  CROSS JOIN LATERAL unnest(i.indclass::oid[], i.indcollation::oid[]) WITH ORDINALITY
    AS u(class, sorting, position)
  JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = u.position
  JOIN pg_opclass c ON c.oid = u.class JOIN pg_namespace cn ON cn.oid = c.opcnamespace
  JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'btree'
  JOIN pg_type t ON t.oid = c.opcintype JOIN pg_namespace tn ON tn.oid = t.typnamespace
  JOIN pg_amop p ON p.amopfamily = c.opcfamily AND p.amopstrategy = 1
    AND p.amoplefttype = c.opcintype AND p.amoprighttype = c.opcintype
  JOIN pg_operator o ON o.oid = p.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace
  LEFT JOIN pg_collation l ON l.oid = u.sorting
  LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace
WHERE i.indexrelid = $1::regclass ORDER BY u.position)";

// pg_depend tells which columns the index's expressions and predicate read.
constexpr std::string_view kColumnsRead = R"(
SELECT a.attname AS name FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = ic.relnamespace JOIN pg_attribute a ON a.attrelid = i.indrelid
WHERE n.nspname = $1 AND ic.relname = $2 AND a.attnum > 0
  AND (a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
    OR (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) AND EXISTS (SELECT FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid
        AND d.refobjsubid = a.attnum)))";

// Whether evaluating and comparing columns runs trusted functions only. A function is trusted if it
// belongs to a superuser, or to an extension that a superuser owns. Any other owner of an extension
// may add a function of his own to it. Types are followed to their parts (base type, element,
// subtype of a range). Rows as values are not compared at all.
//
// The statement has four fixed parts. The columns' types, operator families, functions and casts
// are put between and behind them.
constexpr std::string_view kTrust1 = "WITH RECURSIVE type(oid) AS (";
constexpr std::string_view kTrust2 = R"(
  UNION SELECT part.oid FROM type JOIN pg_type t ON t.oid = type.oid
    LEFT JOIN pg_range r ON r.rngtypid = t.oid
    CROSS JOIN LATERAL (VALUES (t.typbasetype), (t.typelem), (r.rngsubtype)) AS part(oid)
  WHERE part.oid <> 0),
superuser(oid) AS (SELECT oid FROM pg_roles WHERE rolsuper),
family(oid) AS (
  SELECT c.opcfamily FROM type JOIN pg_opclass c ON c.opcintype = type.oid WHERE c.opcdefault )";
constexpr std::string_view kTrust3 = R"(),
used(oid) AS (
  SELECT amproc::oid FROM family JOIN pg_amproc ON amprocfamily = family.oid
  UNION SELECT o.oprcode::oid FROM family JOIN pg_amop ON amopfamily = family.oid
    JOIN pg_operator o ON o.oid = amopopr )";
constexpr std::string_view kTrust4 = R"(),
trust(trusted) AS (SELECT NOT EXISTS (SELECT FROM type JOIN pg_type t ON t.oid = type.oid WHERE t.typtype = 'c')
  AND NOT EXISTS (SELECT FROM used JOIN pg_proc f ON f.oid = used.oid
    WHERE f.proowner NOT IN (SELECT oid FROM superuser) AND NOT EXISTS (
      SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
      WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e'
        AND d.refclassid = 'pg_extension'::regclass AND e.extowner IN (SELECT oid FROM superuser)))
)";

constexpr std::string_view kTypesOfIndex =
    "SELECT atttypid FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0";
constexpr std::string_view kFamiliesOfIndex = R"(
  UNION SELECT c.opcfamily FROM pg_index i CROSS JOIN LATERAL unnest(i.indclass::oid[]) AS k(class)
    JOIN pg_opclass c ON c.oid = k.class WHERE i.indexrelid = $1::regclass)";
constexpr std::string_view kFunctionsOfIndex = R"(
  UNION SELECT refobjid FROM pg_depend WHERE classid = 'pg_class'::regclass
    AND objid = $1::regclass AND refclassid = 'pg_proc'::regclass
  UNION SELECT o.oprcode::oid FROM pg_depend d JOIN pg_operator o ON o.oid = d.refobjid
  WHERE d.classid = 'pg_class'::regclass AND d.objid = $1::regclass
    AND d.refclassid = 'pg_operator'::regclass)";
// An index's expression may contain a cast to a user's domain, and such a cast runs the domain's
// checks.
constexpr std::string_view kCastsOfIndex = R"(
  AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_type t ON t.oid = d.refobjid
    WHERE d.classid = 'pg_class'::regclass AND d.objid = $1::regclass
      AND d.refclassid = 'pg_type'::regclass AND t.typtype IN ('c', 'd')
      AND t.typowner NOT IN (SELECT oid FROM superuser)))";
constexpr std::string_view kTrusted = ") SELECT trusted FROM trust";

struct KeyColumn {
  std::string expression;
  std::string less;  ///< the operator that sorts it; empty: its type's own
};

struct Key {
  std::string from;
  std::string predicate;  ///< empty: all rows
  bool nulls_distinct = true;
  std::vector<KeyColumn> columns;
};

/// The statement without the parenthesis that closes its last WITH query.
std::string trust_of_index() {
  std::string sql(kTrust1);
  sql += kTypesOfIndex;
  sql += kTrust2;
  sql += kFamiliesOfIndex;
  sql += kTrust3;
  sql += kFunctionsOfIndex;
  sql += kTrust4;
  sql += kCastsOfIndex;
  return sql;
}

void require_trusted(bool trusted) {
  if (!trusted)
    throw SourceError(
        Reason::unsafe,
        "comparing would run code that belongs to neither a superuser nor an extension"
        " of one. HINT: if it can be trusted, give its functions to a superuser");
}

/// @param row from a statement that ends in kTrusted, or in the columns of an index.
void require_trusted(const Row& row) {
  require_trusted(row.flag("trusted"));
}

/// The columns of an index, in their order, and whether comparing them is trusted.
Rows column_rows(Session& session, const UniqueIndex& index) {
  const std::array<std::string, 1> name{index.index().sql()};
  std::string sql = trust_of_index();
  sql += kIndexColumns;
  const bool can_say = session.server().version_num >= 150000;
  sql += can_say ? "NOT i.indnullsnotdistinct" : "true";
  sql += " AS nulls_distinct";
  sql += kOfIndex;
  Rows rows = session.query(sql, name);
  if (rows.size() == 0)
    throw SourceError(Reason::unsafe, "only indexes of the btree method are compared");
  return rows;
}

/// The cast and the collation of an index's column.
std::string modifier_of(const Row& row) {
  return row.text("cast") + row.text("collation");
}

/// Splits names at the commas outside of their quotes.
std::vector<std::string> quoted_names(std::string_view text) {
  std::vector<std::string> names(1);
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (c == ',' && !quoted)
      names.emplace_back();
    else
      names.back() += c;
  }
  return names;
}

/// Ranks the values; rows beyond the highest rank are surplus. The operator that sorts also decides
/// which values are equal. The fence (OFFSET 0) keeps expressions from rows that the predicate
/// leaves out.
std::string surplus_sql(const Key& key) {
  std::string values, order, present;
  for (std::size_t i = 0; i < key.columns.size(); ++i) {
    const std::string name = "k" + std::to_string(i);
    const KeyColumn& column = key.columns[i];
    values += (i == 0 ? "" : ", ") + column.expression + " AS " + name;
    order += (i == 0 ? "" : ", ") + name + (column.less.empty() ? "" : " USING " + column.less);
    present += (i == 0 ? " WHERE " : " AND ") + name + " IS NOT NULL";
  }
  return "SELECT count(*) - coalesce(max(rank), 0) AS surplus FROM (SELECT dense_rank() OVER"
         " (ORDER BY " +
         order + ") AS rank FROM (SELECT " + values + " FROM " + key.from +
         (key.predicate.empty() ? "" : " WHERE " + key.predicate) + " OFFSET 0) k" +
         (key.nulls_distinct ? present : "") + ") s";
}

/// The SQL of a column as the configuration names it. A column whose own name looks like a call,
/// such as `lower(x)`, goes before the function.
std::string declared_column(const Table& table, const std::string& text,
                            std::vector<std::string>& names) {
  if (table.column(text) != nullptr) {
    names.push_back(text);
    return sql_identifier(text);
  }
  for (const std::string_view function : {"lower", "btrim"}) {
    const std::string opening = std::string(function) + "(";
    if (!text.starts_with(opening) || !text.ends_with(")")) continue;
    const std::string inner = text.substr(opening.size(), text.size() - opening.size() - 1);
    std::string call = "pg_catalog." + opening;
    call += declared_column(table, inner, names);
    if (table.column(names.back())->type != ColumnType::text)
      throw SourceError(Reason::config, "column " + names.back() + " holds no text");
    return call + "::pg_catalog.text)";
  }
  throw SourceError(Reason::missing, "table " + table.name.display() + " has no column " + text);
}

}  // namespace

std::vector<UniqueIndex> unique_indexes(Session& session, const Schema& schema) {
  const Rows rows = session.query(kUniqueIndexes);
  std::vector<UniqueIndex> indexes;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    const Table* root = schema.table({row.text("root_schema"), row.text("root_name")});
    if (root == nullptr) continue;
    UniqueIndex index{{row.text("schema"), row.text("table_name")},
                      row.text("name"),
                      row.flag("partitioned"),
                      row.number("rows"),
                      row.maybe_number("bytes"),
                      root->foreign_code,
                      static_cast<std::uint32_t>(row.number("shape")),
                      row.maybe_text("columns").value_or("")};
    if (const Table* table = schema.table(index.table); table && table->heirs.empty())
      index.estimated_bytes = table->estimated_bytes;  // else of one partition, or without heirs
    indexes.push_back(std::move(index));
  }
  std::sort(indexes.begin(), indexes.end(), [](const UniqueIndex& a, const UniqueIndex& b) {
    return std::tie(a.table, a.name) < std::tie(b.table, b.name);
  });
  return indexes;
}

std::string trusted_index(Session& session, const QualifiedName& index) {
  return trusted_index_rows(session, index, "$1::regclass::oid AS oid FROM trust")
      .only()
      .text("oid");
}

Rows trusted_index_rows(Session& session, const QualifiedName& index, std::string_view select) {
  const std::array<std::string, 1> name{index.sql()};
  Rows rows = session.query(trust_of_index() + ") SELECT trusted, " + std::string(select), name);
  if (rows.size() == 0)
    throw SourceError(Reason::missing, "index " + index.display() + " does not exist any more");
  require_trusted(rows[0]);
  return rows;
}

Rows trusted_rows(Session& session, const RunCode& code, std::string_view select,
                  std::span<const std::string> parameters) {
  std::string sql(kTrust1);
  for (const std::string_view part : {code.types, kTrust2, kTrust3, code.functions, kTrust4,
                                      code.further, std::string_view(") SELECT trusted, "), select})
    sql += part;
  Rows rows = session.query(sql, parameters);
  if (rows.size() == 0) throw SourceError(Reason::missing, "it does not exist any more");
  require_trusted(rows[0]);
  return rows;
}

std::string surplus_sql(Session& session, const UniqueIndex& index) {
  const Rows rows = column_rows(session, index);
  require_trusted(rows[0]);
  Key key;
  key.from = index.heap().from_clause_alone();
  key.predicate = rows[0].maybe_text("predicate").value_or("");
  key.nulls_distinct = rows[0].flag("nulls_distinct");
  for (std::size_t i = 0; i < rows.size(); ++i)
    key.columns.push_back(
        {"(" + rows[i].text("expression") + ")" + modifier_of(rows[i]), rows[i].text("less")});
  return surplus_sql(key);
}

std::string SurplusStatements::of(Session& session, const UniqueIndex& index) {
  if (index.shape == 0) return surplus_sql(session, index);
  auto found = known_.find(index.shape);
  if (found == known_.end()) {
    const Rows rows = column_rows(session, index);
    Comparison comparison{rows[0].flag("trusted"), rows[0].flag("nulls_distinct"), {}, {}};
    for (std::size_t i = 0; i < rows.size(); ++i) {
      comparison.less.push_back(rows[i].text("less"));
      comparison.modifier.push_back(modifier_of(rows[i]));
    }
    found = known_.emplace(index.shape, std::move(comparison)).first;
  }
  const Comparison& comparison = found->second;
  require_trusted(comparison.trusted);
  const std::vector<std::string> columns = quoted_names(index.columns);
  if (columns.size() != comparison.less.size()) return surplus_sql(session, index);
  Key key;
  key.from = index.heap().from_clause_alone();
  key.nulls_distinct = comparison.nulls_distinct;
  for (std::size_t i = 0; i < columns.size(); ++i)
    key.columns.push_back({"(" + columns[i] + ")" + comparison.modifier[i], comparison.less[i]});
  return surplus_sql(key);
}

std::set<std::string> columns_of(Session& session, const UniqueIndex& index) {
  const std::array<std::string, 2> name{index.table.schema, index.name};
  const Rows rows = session.query(kColumnsRead, name);
  std::set<std::string> columns;
  for (std::size_t i = 0; i < rows.size(); ++i) columns.insert(rows[i].text("name"));
  return columns;
}

std::vector<std::string> columns_of(const Table& table, const std::vector<std::string>& columns) {
  std::vector<std::string> names;
  for (const std::string& column : columns) {
    try {
      declared_column(table, column, names);
    } catch (const SourceError&) {
      continue;  // the collector reports it
    }
  }
  return names;
}

std::string surplus_sql(Session& session, const Table& table,
                        const std::vector<std::string>& columns) {
  Key key;
  key.from = table.from_clause();
  std::vector<std::string> parameters{table.name.sql()};
  std::string placeholders;
  for (const std::string& column : columns) {
    key.columns.push_back({declared_column(table, column, parameters), {}});
    placeholders += (placeholders.empty() ? "$" : ", $") + std::to_string(parameters.size());
  }
  std::string trust(kTrust1);
  trust += "SELECT atttypid FROM pg_attribute WHERE attrelid = $1::regclass AND attname IN (";
  trust += placeholders + ")";
  trust += kTrust2;
  trust += kTrust3;
  trust += kTrust4;
  trust += kTrusted;
  require_trusted(session.query(trust, parameters).only());
  return surplus_sql(key);
}

}  // namespace pg_integrity
