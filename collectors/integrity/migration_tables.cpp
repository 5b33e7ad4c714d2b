#include "collectors/integrity/migration_tables.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "collectors/base/errors.h"
#include "collectors/base/glob.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/table_scan.h"

namespace pg_integrity {

namespace {

constexpr std::string_view kNames[] = {"schema_migrations",
                                       "flyway_schema_history",
                                       "alembic_version",
                                       "django_migrations",
                                       "knex_migrations",
                                       "_prisma_migrations",
                                       "__EFMigrationsHistory",
                                       "databasechangelog",
                                       "DATABASECHANGELOG",
                                       "goose_db_version",
                                       "migrations"};
constexpr double kMostBytes = 16.0 * 1024 * 1024;

/// The columns are named one by one, because a cast of the table's own row type may be a user's
/// function.
std::string fingerprint_sql(const Table& table) {
  std::string columns;
  for (const Column& column : table.columns)
    columns += (columns.empty() ? "t." : ", t.") + sql_identifier(column.name);
  return "SELECT count(*) AS rows, coalesce(sum(hashtext(ROW(" + columns +
         ")::text)::bigint), 0)::text AS hash FROM " + table.from_clause_alone() + " t";
}

/// @return nothing if the table cannot be read, or is too large.
std::optional<std::string> fingerprint_of(Session& session, const Table& table) {
  try {
    if (heap_bytes(session, table) > kMostBytes) return std::nullopt;
    const Row row = session.query(fingerprint_sql(table), Access::heap).only();
    return std::to_string(std::llround(row.number("rows"))) + " " + row.text("hash");
  } catch (const SourceError& error) {
    if (error.session_lost()) throw;
    return std::nullopt;
  }
}

}  // namespace

std::vector<const Table*> migration_tables(const Schema& schema,
                                           const std::vector<std::string>& own) {
  std::vector<const Table*> tables;
  for (const Table& table : schema.tables)
    if (!table.has_foreign_partition &&
        (std::find(std::begin(kNames), std::end(kNames), table.name.name) != std::end(kNames) ||
         matches_any_glob(own, table.name.display())))
      tables.push_back(&table);
  return tables;
}

std::map<QualifiedName, std::string> migration_fingerprints(
    Session& session, const std::vector<const Table*>& tables) {
  std::map<QualifiedName, std::string> fingerprints;
  for (const Table* table : tables)
    if (auto fingerprint = fingerprint_of(session, *table))
      fingerprints[table->name] = std::move(*fingerprint);
  return fingerprints;
}

bool has_new_row(const std::string& before, const std::string& now) {
  return before != now &&
         std::strtoll(now.c_str(), nullptr, 10) >= std::strtoll(before.c_str(), nullptr, 10);
}

}  // namespace pg_integrity
