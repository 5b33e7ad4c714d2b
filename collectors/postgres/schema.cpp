#include "collectors/postgres/schema.h"

#include <algorithm>
#include <utility>

#include "collectors/base/errors.h"
#include "collectors/base/glob.h"

namespace pg_integrity {

const Column* Table::column(std::string_view column_name) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const Column& column) { return column.name == column_name; });
  return found == columns.end() ? nullptr : &*found;
}

const Column& Table::existing_column(std::string_view column_name) const {
  if (const Column* found = column(column_name)) return *found;
  throw SourceError(Reason::missing,
                    "table " + name.display() + " has no column " + std::string(column_name));
}

std::string Table::from_clause() const {
  if (heirs.empty()) return from_clause_alone();
  if (foreign_code || foreign_code_of_heir)
    throw SourceError(Reason::unsafe, "any look at " + name.display() +
                                          ", with the tables that inherit from it," +
                                          std::string(kForeignCodeRuns))
        .because_of({name});
  return name.sql();
}

std::string Table::from_clause_alone() const {
  if (foreign_code)
    throw SourceError(Reason::unsafe,
                      "any look at " + name.display() + std::string(kForeignCodeRuns))
        .because_of({name});
  return partitioned ? name.sql() : "ONLY " + name.sql();
}

Table Table::alone() const {
  Table alone = *this;
  if (heirs.empty()) return alone;
  alone.heirs.clear();
  alone.estimated_rows.reset();
  alone.estimated_bytes.reset();
  for (Column& column : alone.columns) column.leads_index = column.leads_index_alone;
  return alone;
}

bool Schema::excludes(const QualifiedName& name) const {
  return matches_any_glob(exclude, name.display());
}

bool Schema::is_unlogged(const QualifiedName& name) const {
  return std::binary_search(unlogged.begin(), unlogged.end(), name);
}

const Table* Schema::table(const QualifiedName& name) const {
  const auto found = std::lower_bound(
      tables.begin(), tables.end(), name,
      [](const Table& table, const QualifiedName& key) { return table.name < key; });
  return found == tables.end() || found->name != name ? nullptr : &*found;
}

Table* Schema::table(const QualifiedName& name) {
  return const_cast<Table*>(std::as_const(*this).table(name));
}

std::size_t Schema::whole_tables() const {
  return static_cast<std::size_t>(std::count_if(
      tables.begin(), tables.end(), [](const Table& one) { return !one.part_of_parent; }));
}

std::size_t Schema::whole_foreign_keys() const {
  return static_cast<std::size_t>(
      std::count_if(foreign_keys.begin(), foreign_keys.end(), [&](const ForeignKey& key) {
        const Table* child = table(key.child);
        return child == nullptr || !child->part_of_parent;
      }));
}

}  // namespace pg_integrity
