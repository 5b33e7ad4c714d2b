#include "collectors/integrity/exclusion_keys.h"

#include <algorithm>
#include <tuple>

#include "collectors/base/errors.h"

namespace pg_integrity {

namespace {

constexpr std::string_view kKeys = R"(
SELECT n.nspname AS schema, c.relname AS table_name, c.relkind = 'p' AS partitioned,
  ic.relname AS name, k.conname AS constraint_name, k.contype <> 'x' AS temporal,
  greatest(c.reltuples, 0) AS rows, coalesce(rn.nspname, n.nspname) AS root_schema,
  coalesce(r.relname, c.relname) AS root_name
FROM pg_constraint k JOIN pg_index i ON i.indexrelid = k.conindid AND i.indrelid = k.conrelid
  JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid)
  LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
WHERE k.contype IN ('x', 'p', 'u') AND i.indisexclusion AND i.indisvalid AND i.indislive
  AND NOT ic.relispartition AND c.relkind IN ('r', 'p'))";

// How each element of the constraint is compared, and how the bounds of its ranges are sorted.
//
// An equality is known if it is that of the type's own btree order. The GiST and btree_gist
// operators are. A `<>` is known if its negator is.
//
// Under a deterministic collation, equal means equal bytes, so "C" decides which values are equal.
constexpr std::string_view kElements = R"(
pg_get_indexdef(i.indexrelid, u.position::int, false) AS expression,
  pg_get_expr(i.indpred, i.indrelid) AS predicate,
  CASE WHEN o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprname = '&&' THEN
      CASE WHEN lt.typname = 'anyrange' AND range.less IS NOT NULL THEN 'range'
        WHEN lt.typname = 'anymultirange' AND range.less IS NOT NULL THEN 'multirange'
        WHEN lt.typname = 'inet' THEN 'network' END
    WHEN o.oid = sorted.equal THEN 'equal'
    WHEN o.oprnegate = sorted.equal THEN 'differs' END AS how,
  CASE WHEN lt.typtype <> 'p' THEN format('::%I.%I', ltn.nspname, lt.typname) ELSE '' END AS cast,
  CASE WHEN l.oid IS NULL THEN '' WHEN l.collisdeterministic AND o.oprnamespace = 'pg_catalog'::regnamespace
    THEN ' COLLATE pg_catalog."C"' ELSE format(' COLLATE %I.%I', ln.nspname, l.collname) END
    AS collation,
  range.less AS bound_less, range.cast AS bound_cast,
  range.collation AS bound_collation
FROM trust CROSS JOIN pg_index i JOIN pg_constraint k ON k.conindid = i.indexrelid
  CROSS JOIN LATERAL unnest(k.conexclop, i.indcollation::oid[]) WITH ORDINALITY
    AS u(operator, sorting, position)
  JOIN pg_operator o ON o.oid = u.operator
  JOIN pg_type lt ON lt.oid = o.oprleft JOIN pg_namespace ltn ON ltn.oid = lt.typnamespace
  JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = u.position
  LEFT JOIN pg_attribute h ON h.attrelid = i.indrelid AND h.attnum > 0
    AND h.attnum = i.indkey[u.position::int - 1]
  JOIN pg_type t ON t.oid = coalesce(h.atttypid, a.atttypid)
  LEFT JOIN pg_collation l ON l.oid = u.sorting LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace
  LEFT JOIN LATERAL (
    SELECT e.amopopr AS equal
    FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'btree'
      JOIN pg_amop e ON e.amopfamily = c.opcfamily AND e.amopstrategy = 3
        AND e.amoplefttype = c.opcintype AND e.amoprighttype = c.opcintype
    WHERE c.opcdefault AND e.amopopr IN (o.oid, o.oprnegate) LIMIT 1) AS sorted ON true
  LEFT JOIN LATERAL (
    SELECT format('OPERATOR(%I.%s)', sn.nspname, s.oprname) AS less,
      CASE WHEN it.typtype <> 'p' AND it.oid <> r.rngsubtype
        THEN format('::%I.%I', itn.nspname, it.typname) ELSE '' END AS cast,
      CASE WHEN rl.oid IS NULL THEN '' ELSE format(' COLLATE %I.%I', rln.nspname, rl.collname) END
        AS collation
    FROM pg_range r JOIN pg_opclass c ON c.oid = r.rngsubopc
      JOIN pg_type it ON it.oid = c.opcintype JOIN pg_namespace itn ON itn.oid = it.typnamespace
      JOIN pg_amop p ON p.amopfamily = c.opcfamily AND p.amopstrategy = 1
        AND p.amoplefttype = c.opcintype AND p.amoprighttype = c.opcintype
      JOIN pg_operator s ON s.oid = p.amopopr JOIN pg_namespace sn ON sn.oid = s.oprnamespace
      JOIN pg_proc f ON f.oid = s.oprcode JOIN pg_roles o ON o.oid = f.proowner AND o.rolsuper
      LEFT JOIN pg_collation rl ON rl.oid = r.rngcollation
      LEFT JOIN pg_namespace rln ON rln.oid = rl.collnamespace
    WHERE CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END = )";
constexpr std::string_view kOfRange = "r.rngtypid";
// Since PostgreSQL 14. The index column of a multirange has no type of its own, so that of the
// table's column tells.
constexpr std::string_view kOfMultirange = "ANY (ARRAY[r.rngtypid, r.rngmultitypid])";
constexpr std::string_view kOfKey = R"() AS range ON true
WHERE i.indexrelid = $1::regclass AND k.contype IN ('x', 'p', 'u')
ORDER BY u.position)";

/// The rows of a constraint as a table `k`, and how its columns are compared.
struct KeyRows {
  std::string source;   ///< "SELECT … AS k0, … FROM …"
  std::string present;  ///< " WHERE k0 IS NOT NULL AND …"
  std::string equal;    ///< the columns that must be equal: "k0, k2"
  std::string how;      ///< of the one other column; empty: there is none
  std::string column;   ///< its name
  std::string less;     ///< how the bounds of its ranges are sorted
  std::string bound_cast;
  std::string bound_collation;
};

/// @return empty if a column is compared in a way that no order tells, or a second one is.
std::optional<KeyRows> rows_of(const Rows& elements, const ExclusionKey& key) {
  KeyRows found;
  std::string values;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const Row element = elements[i];
    const auto& how = element.maybe_text("how");
    if (!how || (*how != "equal" && !found.how.empty())) return std::nullopt;
    const std::string name = "k" + std::to_string(i);
    values += (i == 0 ? "" : ", ") + ("(" + element.text("expression") + ")") +
              element.text("cast") + element.text("collation") + " AS " + name;
    found.present += (i == 0 ? " WHERE " : " AND ") + name + " IS NOT NULL";
    if (*how == "equal") {
      found.equal += (found.equal.empty() ? "" : ", ") + name;
      continue;
    }
    found.how = *how;
    found.column = name;
    found.less = element.maybe_text("bound_less").value_or("OPERATOR(pg_catalog.<)");
    found.bound_cast = element.maybe_text("bound_cast").value_or("");
    found.bound_collation = element.maybe_text("bound_collation").value_or("");
  }
  const std::string predicate = elements[0].maybe_text("predicate").value_or("");
  found.source = "SELECT " + values + ", row_number() OVER () AS id FROM " +
                 key.index.heap().from_clause_alone() +
                 (predicate.empty() ? "" : " WHERE " + predicate) + " OFFSET 0";
  return found;
}

/// With equal values: rows beyond the first. With different values: rows beyond those of the most
/// frequent one.
std::string counted(const KeyRows& key) {
  const bool differs = key.how == "differs";
  const std::string groups = key.equal + (differs && !key.equal.empty() ? ", " : "") + key.column;
  const std::string each = "SELECT " + (key.equal.empty() ? "1 AS one" : key.equal) +
                           ", count(*) AS n FROM (" + key.source + ") k" + key.present +
                           " GROUP BY " + groups;
  if (!differs) return "SELECT coalesce(sum(n - 1), 0) AS conflicting FROM (" + each + ") s";
  return "SELECT coalesce(sum(rest), 0) AS conflicting FROM (SELECT sum(n) - max(n) AS rest FROM "
         "(" +
         each + ") g" + (key.equal.empty() ? "" : " GROUP BY " + key.equal) + ") s";
}

/// The two ends of each range `part`. Their order at one value is `x)`, `[x`, `x]`, `(x`, so that a
/// range that only touches another does not overlap it.
std::string ends_of_ranges(const KeyRows& key) {
  const auto bound = [&](const std::string& side) {
    return "(" + side + "(part)" + key.bound_cast + ")" + key.bound_collation;
  };
  return "(VALUES (1, CASE WHEN lower_inf(part) THEN -1 ELSE 0 END, " + bound("lower") +
         ", CASE WHEN lower_inc(part) THEN 0 ELSE 2 END), (-1, CASE WHEN upper_inf(part) THEN 1"
         " ELSE 0 END, " +
         bound("upper") + ", CASE WHEN upper_inc(part) THEN 1 ELSE -1 END))";
}

/// The first and the last address of each network `part`.
std::string ends_of_networks() {
  const std::string length = ", CASE family(part) WHEN 4 THEN 32 ELSE 128 END)";
  return "(VALUES (1, 0, set_masklen(network(part)::inet" + length +
         ", 0), (-1, 0, set_masklen(broadcast(part)" + length + ", 1))";
}

/// Sorts the ends of all ranges and counts those that are open where another begins.
std::string overlaps(const KeyRows& key, bool temporal) {
  const bool network = key.how == "network";
  const std::string parts = key.how == "multirange" ? "unnest(" + key.column + ") AS p(part)"
                                                    : "(VALUES (" + key.column + ")) AS p(part)";
  const std::string over = (key.equal.empty() ? "" : "PARTITION BY " + key.equal + " ") +
                           "ORDER BY class, value USING " + key.less +
                           ", side, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING";
  const std::string not_empty = network ? "" : " AND NOT isempty(" + key.column + ")";
  std::string sql = "SELECT count(DISTINCT id)";
  if (temporal)
    sql += " + (SELECT count(*) FROM (" + key.source + ") k" + key.present + " AND isempty(" +
           key.column + "))";
  return sql + " AS conflicting FROM (SELECT id, step, sum(step) OVER (" + over +
         ") AS open FROM (" + key.source + ") k CROSS JOIN LATERAL " + parts +
         " CROSS JOIN LATERAL " + (network ? ends_of_networks() : ends_of_ranges(key)) +
         " AS e(step, class, value, side)" + key.present + not_empty +
         ") s WHERE step = 1 AND open > 0";
}

}  // namespace

std::vector<ExclusionKey> exclusion_keys(Session& session, const Schema& schema) {
  const Rows rows = session.query(kKeys);
  std::vector<ExclusionKey> keys;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    const Table* root = schema.table({row.text("root_schema"), row.text("root_name")});
    if (root == nullptr) continue;
    ExclusionKey key;
    key.index.table = {row.text("schema"), row.text("table_name")};
    key.index.name = row.text("name");
    key.index.partitioned = row.flag("partitioned");
    key.index.estimated_rows = row.number("rows");
    key.index.foreign_code = root->foreign_code;
    if (key.index.table == root->name) key.index.estimated_bytes = root->estimated_bytes;
    key.constraint = row.text("constraint_name");
    key.temporal = row.flag("temporal");
    keys.push_back(std::move(key));
  }
  std::sort(keys.begin(), keys.end(), [](const ExclusionKey& a, const ExclusionKey& b) {
    return std::tie(a.index.table, a.constraint) < std::tie(b.index.table, b.constraint);
  });
  return keys;
}

std::optional<std::string> conflicts_sql(Session& session, const ExclusionKey& key) {
  const bool multiranges = session.server().version_num >= 140000;
  std::string elements(kElements);
  elements += multiranges ? kOfMultirange : kOfRange;
  elements += kOfKey;
  const auto rows = rows_of(trusted_index_rows(session, key.index.index(), elements), key);
  if (!rows) return std::nullopt;
  if (rows->how.empty() || rows->how == "differs") return counted(*rows);
  return overlaps(*rows, key.temporal);
}

}  // namespace pg_integrity
