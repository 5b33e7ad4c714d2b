#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "collectors/base/qualified_name.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/schema_reader.h"

namespace pg_integrity {

namespace {

// One row for each table and each of its heirs. `child` says that the heir inherits from the table
// itself and adds no column of its own.
constexpr std::string_view kHeirs = R"(
WITH RECURSIVE family(root, oid) AS (
  SELECT i.inhparent, i.inhrelid FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
  WHERE p.relkind = 'r' AND NOT p.relispartition
  UNION
  SELECT family.root, i.inhrelid FROM family JOIN pg_inherits i ON i.inhparent = family.oid)
SELECT n.nspname AS schema, c.relname AS table_name, hn.nspname AS heir_schema,
  h.relname AS heir_name, EXISTS (SELECT FROM pg_inherits i
    WHERE i.inhparent = c.oid AND i.inhrelid = h.oid) AND NOT EXISTS (
    SELECT FROM pg_attribute a WHERE a.attrelid = h.oid AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attinhcount = 0) AS child
FROM family JOIN pg_class c ON c.oid = family.root JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class h ON h.oid = family.oid JOIN pg_namespace hn ON hn.oid = h.relnamespace
WHERE h.relpersistence <> 't' AND )" PGI_USER_CLASS;

bool leads_index(const Schema& schema, const QualifiedName& table, const std::string& name) {
  const Table* found = schema.table(table);
  const Column* column = found == nullptr ? nullptr : found->column(name);
  return column != nullptr && column->leads_index;
}

/// Whether the keys, of two tables, bind columns of the same names in the same way.
bool is_same(const ForeignKey& a, const ForeignKey& b) {
  return a.parent == b.parent && a.match_full == b.match_full && a.temporal == b.temporal &&
         std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                    [](const ReferenceColumn& x, const ReferenceColumn& y) {
                      return x.child == y.child && x.parent == y.parent &&
                             x.comparison == y.comparison;
                    });
}

/// The number of the heir's key that is the same, if it has one.
std::optional<std::size_t> same_key(const Schema& schema, const QualifiedName& heir,
                                    const ForeignKey& key) {
  const auto begin = schema.foreign_keys.begin();
  auto at = std::lower_bound(
      begin, schema.foreign_keys.end(), heir,
      [](const ForeignKey& one, const QualifiedName& name) { return one.child < name; });
  for (; at != schema.foreign_keys.end() && at->child == heir; ++at)
    if (is_same(*at, key)) return static_cast<std::size_t>(at - begin);
  return std::nullopt;
}

/// The numbers of the keys of all heirs of the key's table. Empty if one of them lacks it.
std::vector<std::size_t> keys_of_heirs(const Schema& schema, const ForeignKey& key) {
  const Table* table = schema.table(key.child);
  if (table == nullptr) return {};
  std::vector<std::size_t> keys;
  for (const QualifiedName& heir : table->heirs) {
    const auto same = same_key(schema, heir, key);
    if (!same) return {};
    keys.push_back(*same);
  }
  return keys;
}

}  // namespace

void read_inheritance(Session& session, Schema& into) {
  const Rows rows = session.query(kHeirs);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    // An excluded table shows nothing, so its heirs are tables of their own.
    Table* table = into.table({row.text("schema"), row.text("table_name")});
    if (table == nullptr) continue;
    const QualifiedName& name =
        table->heirs.emplace_back(QualifiedName{row.text("heir_schema"), row.text("heir_name")});
    if (Table* heir = into.table(name); heir != nullptr && row.flag("child"))
      heir->part_of_parent = true;
  }
  for (Table& table : into.tables) {
    std::sort(table.heirs.begin(), table.heirs.end());
    if (table.heirs.empty()) continue;
    for (Column& column : table.columns) {
      column.leads_index_alone = column.leads_index;
      column.leads_index =
          column.leads_index &&
          std::all_of(table.heirs.begin(), table.heirs.end(),
                      [&](const auto& heir) { return leads_index(into, heir, column.name); });
    }
  }
}

void roll_up_foreign_keys(Schema& into) {
  std::set<std::size_t> shown_by_parent;
  for (ForeignKey& key : into.foreign_keys) {
    const auto keys = keys_of_heirs(into, key);
    const Table* child = into.table(key.child);
    const Table* parent = into.table(key.parent);
    key.child_with_heirs = !keys.empty();
    key.child_heirs_left_out = child != nullptr && !child->heirs.empty() && keys.empty();
    key.parent_heirs_left_out = parent != nullptr && !parent->heirs.empty();
    for (const std::size_t i : keys) {
      const ForeignKey& other = into.foreign_keys[i];
      key.validated = key.validated && other.validated;
      key.enforced = key.enforced && other.enforced;
      key.indexed = key.indexed && other.indexed;
      key.foreign_code = key.foreign_code || other.foreign_code;
      const Table* heir = into.table(other.child);
      if (heir != nullptr && heir->part_of_parent) shown_by_parent.insert(i);
    }
  }
  std::vector<ForeignKey> kept;
  for (std::size_t i = 0; i < into.foreign_keys.size(); ++i)
    if (!shown_by_parent.contains(i)) kept.push_back(std::move(into.foreign_keys[i]));
  into.foreign_keys = std::move(kept);
}

}  // namespace pg_integrity
