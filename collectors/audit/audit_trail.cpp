#include "collectors/audit/audit_trail.h"

#include <algorithm>
#include <vector>

#include "collectors/base/errors.h"

namespace pg_integrity {

namespace {

constexpr std::string_view kOncePerStatement =
    "the trigger is FOR EACH STATEMENT, so its entries cannot be held against rows. HINT: ";

/// A column as text. A column of text stays as it is, so that an index on it can be used.
std::string text_sql(const Table& table, const std::string& name) {
  const std::string value = sql_identifier(name);
  return table.existing_column(name).type == ColumnType::text ? value
                                                              : "pg_catalog.concat(" + value + ")";
}

/// The rows that one entry is about.
std::string weight_sql(const Table& log_table, const AuditLog& log) {
  if (log.rows.empty()) return "1";
  if (log_table.existing_column(log.rows).type != ColumnType::number)
    throw SourceError(Reason::config, "column " + log.rows + " of table " +
                                          log_table.name.display() + " is no number. HINT: `rows`");
  return "greatest(0, coalesce(" + sql_identifier(log.rows) + ", 1))";
}

/// Which entries are about a whole statement.
std::string statement_sql(const Table& log_table, const AuditLog& log, bool by_statement) {
  if (by_statement) return "true";
  return log.truncates.empty() ? "false" : text_sql(log_table, log.event) + " = ANY ($5::text[])";
}

std::string entries_sql(const Table& log_table, const AuditLog& log, bool by_statement) {
  const std::string about = text_sql(log_table, log.about);
  const std::string truncate =
      log.truncates.empty() ? "false" : text_sql(log_table, log.event) + " = ANY ($5::text[])";
  std::string sql = "SELECT coalesce(sum(CASE WHEN " + truncate + " THEN 0 ELSE " +
                    weight_sql(log_table, log) + " END), 0) AS entries, count(*) FILTER (WHERE " +
                    statement_sql(log_table, log, by_statement) +
                    ") AS statements, count(*) FILTER (WHERE " + about +
                    " = ANY ($3::text[])) AS ambiguous FROM " + log_table.from_clause() +
                    " WHERE " + about + " = ANY ($2::text[])";
  if (!log.about_schema.empty())
    sql += " AND " + text_sql(log_table, log.about_schema) + " = ANY ($6::text[])";
  if (!log.event.empty())
    sql += " AND " + text_sql(log_table, log.event) + " = ANY ($4::text[] || $5::text[])";
  return sql;
}

}  // namespace

EntryMeaning meaning_of_entries(const AuditLog& log, const TriggerLevel& level) {
  if (!log.rows.empty()) return {};
  if (log.entry == "statement") return {true, {}};
  if (!level.statement) return {};
  if (level.old_rows && !level.row) {
    if (log.entry == "row") return {};
    return {true, std::string(kOncePerStatement) +
                      "say in `log` what an entry is about: entry = \"row\" or \"statement\", or"
                      " name the column `rows`"};
  }
  return {true, std::string(kOncePerStatement) +
                    "audit each row, or say entry = \"statement\" in `log`, which finds only rows"
                    " that went while no entry was written"};
}

TrailCount count_trail(Session& session, const Table& log_table, const Table& table,
                       const AuditLog& log, const AuditedTables& audited, bool by_statement) {
  const auto found = audited.tables.find(table.name);
  if (found == audited.tables.end())
    throw SourceError(Reason::missing, "table " + table.name.display() + " does not exist");
  const AuditedTable& own = found->second;
  // A statement must name all its parameters, so the last line names those of some logs only.
  const std::vector<std::string> parameters{
      table.name.sql(),
      text_array(own.names),
      text_array(audited.ambiguous_names(table.name, !log.about_schema.empty())),
      text_array(log.deletes),
      text_array(log.truncates),
      text_array(own.schemas)};
  const Row row = session
                      .query("SELECT (SELECT count(*) FROM " + table.from_clause_alone() +
                                 ") AS rows, l.entries, l.statements, l.ambiguous,"
                                 " (SELECT coalesce(sum(pg_stat_get_tuples_deleted(relid)), 0)"
                                 " FROM (SELECT $1::regclass::oid AS relid UNION SELECT relid::oid"
                                 " FROM pg_partition_tree($1::regclass)) p) AS deletes FROM (" +
                                 entries_sql(log_table, log, by_statement) +
                                 ") l WHERE ($4::text[], $5::text[], $6::text[]) IS NOT NULL",
                             parameters, Access::heap)
                      .only();
  return {row.number("rows"), row.number("entries"),   row.number("statements"),
          own.identity,       row.number("ambiguous"), row.number("deletes")};
}

double bypassed(const TrailCount& before, const TrailCount& now, bool by_statement) {
  const double lost = std::max(0.0, before.rows - now.rows);
  const double statements = now.statements - before.statements;
  double logged = (by_statement ? 0 : now.entries - before.entries) + std::min(0.0, statements);
  // A table that was created anew has another OID, so entries that name it by its OID are others.
  if (now.identity != before.identity) logged = std::max(0.0, logged);
  return std::max(0.0, (statements > 0 ? 0 : lost) - logged);
}

}  // namespace pg_integrity
