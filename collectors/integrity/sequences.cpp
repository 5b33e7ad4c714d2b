#include "collectors/integrity/sequences.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "collectors/base/qualified_name.h"

namespace pg_integrity {

namespace {

// A default feeds its column if it is nextval() and nothing else. A sequence feeds the column that
// owns it, unless the column's default computes something of its own. pg_get_expr() gets no table
// (0), so it locks nothing. Defaults of generated columns name other columns, so they are skipped.
constexpr std::string_view kFedColumns = R"(
WITH fallback(relid, attnum, id, plain) AS (
  SELECT v.adrelid, v.adnum, v.oid, CASE WHEN a.attgenerated = '' THEN pg_get_expr(v.adbin, 0)
    ~ '^\(?nextval\(''([^'']|'''')*''::regclass\)\)?(::(smallint|integer|bigint|numeric))?$'
    ELSE false END
  FROM pg_attrdef v JOIN pg_attribute a ON a.attrelid = v.adrelid AND a.attnum = v.adnum),
fed(relid, attnum, seqid, owned) AS (
  SELECT f.relid, f.attnum, d.refobjid, false FROM fallback f
    JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.id
      AND d.refclassid = 'pg_class'::regclass
  WHERE f.plain
  UNION ALL
  SELECT d.refobjid, d.refobjsubid, d.objid, true FROM pg_depend d
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i') AND NOT EXISTS (
      SELECT FROM fallback f WHERE f.relid = d.refobjid AND f.attnum = d.refobjsubid AND NOT plain))
SELECT DISTINCT ON (c.oid, a.attnum) n.nspname AS schema, c.relname AS table_name,
  a.attname AS column_name, sn.nspname AS sequence_schema, sc.relname AS sequence_name,
  s.seqincrement AS increment
FROM fed JOIN pg_sequence s ON s.seqrelid = fed.seqid AND NOT s.seqcycle
  JOIN pg_class sc ON sc.oid = s.seqrelid JOIN pg_namespace sn ON sn.oid = sc.relnamespace
  JOIN pg_class c ON c.oid = fed.relid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = fed.attnum
ORDER BY c.oid, a.attnum, fed.owned)";

/// Leaves one entry for a table and those heirs that are parts of it, if one sequence feeds them
/// all. An heir may also have a sequence of its own, whose values say nothing about that of the
/// table. `columns` is sorted.
void roll_up(const Schema& schema, std::vector<FedColumn>& columns) {
  std::set<std::pair<QualifiedName, std::string>> shown_by_parent;
  const auto is_fed = [&](const QualifiedName& heir, const FedColumn& like) {
    const auto found = std::lower_bound(columns.begin(), columns.end(), std::tie(heir, like.column),
                                        [](const FedColumn& fed, const auto& key) {
                                          return std::tie(fed.table, fed.column) < key;
                                        });
    return found != columns.end() && found->table == heir && found->column == like.column &&
           found->sequence == like.sequence;
  };
  for (FedColumn& fed : columns) {
    const auto& heirs = schema.table(fed.table)->heirs;
    fed.with_heirs =
        !heirs.empty() && std::all_of(heirs.begin(), heirs.end(),
                                      [&](const auto& heir) { return is_fed(heir, fed); });
    if (!fed.with_heirs) continue;
    for (const QualifiedName& heir : heirs)
      if (schema.table(heir)->part_of_parent) shown_by_parent.emplace(heir, fed.column);
  }
  std::erase_if(columns, [&](const FedColumn& fed) {
    return shown_by_parent.contains({fed.table, fed.column});
  });
}

}  // namespace

std::vector<FedColumn> fed_columns(Session& session, const Schema& schema) {
  const Rows rows = session.query(kFedColumns);
  std::vector<FedColumn> columns;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    FedColumn fed{{row.text("schema"), row.text("table_name")},
                  row.text("column_name"),
                  {row.text("sequence_schema"), row.text("sequence_name")},
                  row.text("increment"),
                  false};
    const Table* table = schema.table(fed.table);
    const Column* column = table == nullptr ? nullptr : table->column(fed.column);
    if (column != nullptr && column->type == ColumnType::number &&
        (!table->partitioned || !table->has_foreign_partition))
      columns.push_back(std::move(fed));
  }
  std::sort(columns.begin(), columns.end(), [](const FedColumn& a, const FedColumn& b) {
    return std::tie(a.table, a.column) < std::tie(b.table, b.column);
  });
  roll_up(schema, columns);
  return columns;
}

double values_behind(Session& session, const Table& table, const FedColumn& fed) {
  const bool up = !fed.increment.starts_with('-');
  const std::string& step = fed.increment;
  const std::string column = sql_identifier(fed.column);
  const std::string far = std::string(up ? "max(" : "min(") + column + ")";
  // numeric, because the ends of bigint's range must not overflow.
  const std::string next =
      "(s.last_value::numeric + CASE WHEN s.is_called THEN " + step + " ELSE 0 END)";
  const Rows rows =
      session.query("SELECT coalesce(greatest(0, floor((t.far::numeric - " + next + ") / " + step +
                    ") + 1), 0) AS behind FROM " + fed.sequence.sql() + " s, (SELECT " + far +
                    " AS far FROM " + table.from_clause() + ") t");
  return rows.only().number("behind");
}

}  // namespace pg_integrity
