#include "collectors/recovery/history_table.h"

#include <algorithm>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/qualified_name.h"
#include "collectors/options/backups.h"
#include "collectors/options/proof_level.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/table_scan.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxGroups = 1000;

/// concat() prints any type by the type's output function. It calls no cast that a user defined.
std::string text_sql(const Table& table, const std::string& column) {
  return "pg_catalog.left(pg_catalog.concat(" + sql_identifier(table.existing_column(column).name) +
         "), 200)";
}

/// SQL for the number of seconds after which a backup that has not ended is stuck. It is NULL for a
/// row of no such kind.
/// @param parameters gets the values that the text refers to.
std::string stuck_after_sql(const std::vector<BackupKind>& kinds,
                            std::vector<std::string>& parameters) {
  std::string cases;
  for (const BackupKind& kind : kinds)
    for (const std::string& text : kind.values) {
      cases.append(" WHEN $").append(std::to_string(parameters.size() + 1));
      cases.append(" THEN $").append(std::to_string(parameters.size() + 2)).append("::float8");
      parameters.push_back(text);
      parameters.push_back(std::to_string(kind.stuck_after.count()));
    }
  return cases.empty() ? "NULL::float8" : "CASE kind" + cases + " END";
}

std::string history_sql(const Table& table, const HistoryTable& history,
                        const std::string& stuck_after) {
  const std::string moment = moment_sql(table.existing_column(history.time_column), history.zone);
  const std::string status =
      history.status_column.empty() ? "''::text" : text_sql(table, history.status_column);
  const std::string finished =
      history.finish_column.empty()
          ? "NULL::timestamptz"
          : moment_sql(table.existing_column(history.finish_column), history.zone);
  return "SELECT kind, status, count(*) AS runs, count(*) FILTER (WHERE t > latest) AS future,"
         " count(*) FILTER (WHERE t < now() - stuck_after * interval '1 second') AS overdue,"
         " extract(epoch FROM max(t) FILTER (WHERE usable)) AS newest,"
         " extract(epoch FROM now() - max(t) FILTER (WHERE usable)) AS newest_age,"
         " extract(epoch FROM now() - min(t) FILTER (WHERE usable)) AS oldest_age,"
         " extract(epoch FROM now() - max(f) FILTER (WHERE usable AND f <= latest)) AS finished_age"
         " FROM (SELECT kind, status, t, f, latest,"
         " pg_catalog.isfinite(t) AND t <= latest AS usable, " +
         stuck_after +
         " AS stuck_after"
         " FROM (SELECT " +
         text_sql(table, history.kind_column) + " AS kind, " + status + " AS status, " + moment +
         " AS t, " + finished + " AS f, now() + interval '1 minute' AS latest FROM " +
         table.from_clause() + ") r) s GROUP BY kind, status LIMIT " +
         std::to_string(kMaxGroups + 1);
}

bool is_among(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

BackupStatus status_of(const HistoryTable& history, const std::string& text) {
  if (history.status_column.empty() || is_among(history.success, text))
    return BackupStatus::success;
  if (is_among(history.failed, text)) return BackupStatus::failed;
  if (is_among(history.running, text)) return BackupStatus::running;
  return BackupStatus::other;
}

const BackupKind* kind_of(const std::vector<BackupKind>& kinds, const std::string& text) {
  const auto found = std::find_if(kinds.begin(), kinds.end(), [&](const BackupKind& kind) {
    return is_among(kind.values, text);
  });
  return found == kinds.end() ? nullptr : &*found;
}

void add_group(const Row& row, BackupStatus status, KindHistory& kind) {
  const double stuck = status == BackupStatus::running ? row.number("overdue") : 0;
  kind.runs[static_cast<std::size_t>(BackupStatus::stuck)] += stuck;
  kind.runs[static_cast<std::size_t>(status)] += row.number("runs") - stuck;
  if (status != BackupStatus::success) return;
  kind.from_the_future += row.number("future");
  const auto newest = row.maybe_number("newest");
  if (!newest) return;
  kind.add({*newest, Seconds(row.number("newest_age")), {}, "table"}, ProofLevel::on_record);
  kind.oldest_age = std::max(*kind.oldest_age, Seconds(row.number("oldest_age")));
  if (const auto finished = row.maybe_number("finished_age"))
    keep_youngest(kind.finished_age, Seconds(*finished));
}

}  // namespace

BackupHistory read_history_table(Session& session, const Schema& schema,
                                 const HistoryTable& history,
                                 const std::vector<BackupKind>& kinds) {
  const Table* table = schema.table(history.table);
  if (table == nullptr)
    throw SourceError(Reason::missing, "table " + history.table.display() + " does not exist");
  std::vector<std::string> parameters;
  const std::string stuck_after = stuck_after_sql(kinds, parameters);
  const Rows rows =
      session.query(history_sql(*table, history, stuck_after), parameters, Access::heap);
  if (rows.size() > kMaxGroups)
    throw SourceError(Reason::limit, "table " + history.table.display() +
                                         " has too many different kinds and statuses");
  BackupHistory found = empty_history(kinds);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    if (const BackupKind* kind = kind_of(kinds, row.text("kind")))
      add_group(row, status_of(history, row.text("status")), found.kinds[kind->name]);
    else if (!is_among(history.ignore, row.text("kind")))
      found.unrecognised += row.number("runs");
  }
  return found;
}

}  // namespace pg_integrity
