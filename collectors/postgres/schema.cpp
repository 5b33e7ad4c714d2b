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

std::string Table::from_clause() const {
  if (foreign_code)
    throw SourceError(Reason::unsafe,
                      "any look at " + name.display() + std::string(kForeignCodeRuns));
  return partitioned ? name.sql() : "ONLY " + name.sql();
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

}  // namespace pg_integrity
