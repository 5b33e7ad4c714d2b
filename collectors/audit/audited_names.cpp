#include "collectors/audit/audited_names.h"

#include <algorithm>
#include <array>

namespace pg_integrity {

namespace {

// tgtype: 1 once a row, 8 delete. A row trigger of a partitioned table names the partition in its
// entries, so partitions belong to their root here.
constexpr std::string_view kTables = R"(
WITH RECURSIVE called AS (
  SELECT t.tgrelid, t.tgtype & 8 <> 0 AS deletes, t.tgtype & 1 <> 0 AS by_row,
    t.tgoldtable IS NOT NULL AS old_rows
  FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid JOIN pg_namespace n ON n.oid = f.pronamespace
  WHERE n.nspname = $1 AND f.proname = $2),
part(root, oid) AS (
  SELECT c.oid, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND (n.nspname || '.' || c.relname = ANY ($3::text[]) OR c.oid IN (
      SELECT coalesce(pg_partition_root(tgrelid)::oid, tgrelid) FROM called))
  UNION ALL
  SELECT part.root, i.inhrelid FROM part JOIN pg_inherits i ON i.inhparent = part.oid
    JOIN pg_class l ON l.oid = i.inhrelid AND l.relispartition)
SELECT rn.nspname AS root_schema, r.relname AS root_name, r.relkind = 'p' AS partitioned,
  n.nspname AS schema, quote_ident(n.nspname) AS quoted_schema, n.oid AS schema_oid,
  c.relname AS name, quote_ident(c.relname) AS quoted_name, c.oid AS oid,
  coalesce(l.by_row, false) AS by_row, coalesce(l.by_statement, false) AS by_statement,
  coalesce(l.old_rows, false) AS old_rows
FROM part JOIN pg_class r ON r.oid = part.root JOIN pg_namespace rn ON rn.oid = r.relnamespace
  JOIN pg_class c ON c.oid = part.oid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN (SELECT tgrelid, bool_or(deletes AND by_row) AS by_row,
      bool_or(deletes AND NOT by_row) AS by_statement,
      bool_or(deletes AND NOT by_row AND old_rows) AS old_rows
    FROM called GROUP BY 1) l ON l.tgrelid = part.oid)";

std::string in_quotation_marks(const std::string& name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

void add(const Row& row, AuditedTable& table) {
  const std::set<std::string> schemas{row.text("schema"), row.text("quoted_schema"),
                                      in_quotation_marks(row.text("schema"))};
  const std::set<std::string> names{row.text("name"), row.text("quoted_name"),
                                    in_quotation_marks(row.text("name"))};
  for (const std::string& name : names) {
    table.names.insert(name);
    for (const std::string& schema : schemas)
      table.names.insert(QualifiedName{schema, name}.display());
  }
  table.names.insert(row.text("oid"));
  table.schemas.insert(schemas.begin(), schemas.end());
  table.schemas.insert(row.text("schema_oid"));
  table.identity += row.number("oid");
  table.partitioned = row.flag("partitioned");
  table.level.row |= row.flag("by_row");
  table.level.statement |= row.flag("by_statement");
  table.level.old_rows |= row.flag("old_rows");
}

bool have_one_in_common(const std::set<std::string>& a, const std::set<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& text) { return b.contains(text); });
}

}  // namespace

AuditedTables audited_tables(Session& session, const QualifiedName& function,
                             const std::vector<QualifiedName>& wanted) {
  std::vector<std::string> names;
  for (const QualifiedName& name : wanted) names.push_back(name.display());
  const std::array<std::string, 3> parameters{function.schema, function.name, text_array(names)};
  const Rows rows = session.query(kTables, parameters);
  AuditedTables found;
  for (std::size_t i = 0; i < rows.size(); ++i)
    add(rows[i], found.tables[{rows[i].text("root_schema"), rows[i].text("root_name")}]);
  for (const auto& [table, facts] : found.tables)
    for (const std::string& name : facts.names) found.named[name].push_back(table);
  return found;
}

std::vector<std::string> AuditedTables::ambiguous_names(const QualifiedName& table,
                                                        bool by_schema) const {
  const AuditedTable& own = tables.at(table);
  std::vector<std::string> ambiguous;
  for (const std::string& name : own.names) {
    const std::vector<QualifiedName>& meant = named.at(name);
    if (std::any_of(meant.begin(), meant.end(), [&](const QualifiedName& other) {
          return other != table &&
                 (!by_schema || have_one_in_common(own.schemas, tables.at(other).schemas));
        }))
      ambiguous.push_back(name);
  }
  return ambiguous;
}

}  // namespace pg_integrity
