#include "exporter/setup/found_in_database.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "collectors/postgres/entry_column.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMostGrowing = 8;

// Enabled triggers on DELETE that somebody made, with their functions.
constexpr std::string_view kDeleteTriggers = R"(
SELECT n.nspname AS schema, c.relname AS table, f.nspname || '.' || p.proname AS function,
  p.proname AS name, p.prosrc AS body,
  (t.tgtype::int & 16) <> 0 AS on_update, (t.tgtype::int & 32) <> 0 AS on_truncate
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace f ON f.oid = p.pronamespace
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND (t.tgtype::int & 8) <> 0
  AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY 3, 1, 2)";

// Events that the function sees on the table, by any of its triggers there.
constexpr std::string_view kTruncateTriggers = R"(
SELECT n.nspname || '.' || c.relname AS table, f.nspname || '.' || p.proname AS function
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace f ON f.oid = p.pronamespace
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND (t.tgtype::int & 32) <> 0)";

constexpr std::string_view kSuperusers =
    "SELECT rolname AS role, rolname = current_user AS self FROM pg_roles WHERE rolsuper ORDER BY "
    "1";

// Roles that may log in and change or own a table that somebody made.
constexpr std::string_view kWriters = R"(
SELECT r.rolname AS role FROM pg_roles r WHERE r.rolcanlogin AND NOT r.rolsuper AND EXISTS (
  SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND (has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
      OR has_any_column_privilege(r.oid, c.oid, 'INSERT, UPDATE')
      OR pg_has_role(r.oid, c.relowner, 'MEMBER')))
ORDER BY 1)";

constexpr std::string_view kStandbys = R"(
SELECT DISTINCT application_name AS name, host(client_addr) AS host FROM pg_stat_replication
WHERE application_name !~ '^(pg_basebackup|pg_receivewal|pg_recvlogical|barman|pgbackrest|wal-g)'
  AND application_name <> '' ORDER BY 1)";

constexpr std::string_view kSettings = R"(
SELECT (SELECT reset_val FROM pg_settings WHERE name = 'log_timezone') AS zone,
  (SELECT setting FROM pg_settings WHERE name = 'archive_mode') AS archive_mode,
  (SELECT setting FROM pg_settings WHERE name = 'archive_command') AS archive_command)";

constexpr std::string_view kDatabases =
    "SELECT datname AS name FROM pg_database WHERE datallowconn AND NOT datistemplate AND datname "
    "<>"
    " current_database() ORDER BY 1";

std::string in_lower_case(std::string_view text) {
  std::string lower;
  for (const char c : text) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

/// A name that a glob can stand for only as itself.
bool is_plain(const std::string& name) {
  return name.find_first_of("*?[]\\") == std::string::npos;
}

std::optional<TableInTime> in_time(const Table& table, bool any_column) {
  const Column* found = entry_column(table);
  for (const ColumnType type : {ColumnType::timestamptz, ColumnType::timestamp})
    for (const Column& column : table.columns)
      if (found == nullptr && any_column && column.type == type) found = &column;
  if (found == nullptr) return std::nullopt;
  return TableInTime{table.name, found->name, lacks_zone(*found)};
}

void find_tables(const Schema& schema, FoundInDatabase& found) {
  std::vector<const Table*> by_size;
  for (const Table& table : schema.tables) {
    if (table.part_of_parent) continue;
    const std::string name = in_lower_case(table.name.name);
    const bool of_backups = name.find("backup") != std::string::npos;
    if (looks_like_a_log(table.name.name) || of_backups) {
      if (auto log = in_time(table, true))
        (of_backups ? found.backup_logs : found.logs).push_back(std::move(*log));
    } else if (entry_column(table) != nullptr) {
      by_size.push_back(&table);
    }
  }
  std::stable_sort(by_size.begin(), by_size.end(), [](const Table* a, const Table* b) {
    return a->estimated_rows.value_or(0) > b->estimated_rows.value_or(0);
  });
  for (const Table* table : by_size)
    if (found.growing.size() < kMostGrowing) found.growing.push_back(*in_time(*table, false));
}

/// Whether the function writes down what it sees, judged by its name, or by the logs that its body
/// names.
bool writes_down(const std::string& name, const std::string& body, const FoundInDatabase& found) {
  const std::string text = in_lower_case(body);
  if (text.find("insert") == std::string::npos) return false;
  if (looks_like_a_log(name)) return true;
  return std::any_of(found.logs.begin(), found.logs.end(), [&](const TableInTime& log) {
    return text.find(in_lower_case(log.table.name)) != std::string::npos;
  });
}

void find_audited(Session& session, const Schema& schema, FoundInDatabase& found) {
  std::set<std::pair<std::string, std::string>> truncates;
  const Rows on_truncate = session.query(kTruncateTriggers);
  for (std::size_t i = 0; i < on_truncate.size(); ++i)
    truncates.emplace(on_truncate[i].text("function"), on_truncate[i].text("table"));
  struct Seen {
    std::set<std::string> tables;
    bool update = true;
    bool truncate = true;
  };
  std::map<std::string, Seen> by_function;
  const Rows rows = session.query(kDeleteTriggers);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    const QualifiedName name{row.text("schema"), row.text("table")};
    const std::string full = name.schema + "." + name.name;
    if (schema.table(name) == nullptr || !is_plain(full) ||
        !writes_down(row.text("name"), row.text("body"), found))
      continue;
    Seen& seen = by_function[row.text("function")];
    seen.tables.insert(full);
    seen.update = seen.update && row.flag("on_update");
    seen.truncate = seen.truncate &&
                    (row.flag("on_truncate") || truncates.contains({row.text("function"), full}));
  }
  for (const auto& [function, seen] : by_function) {
    TriggerAudit audited{function, {seen.tables.begin(), seen.tables.end()}, {"delete"}};
    if (seen.update) audited.events.emplace_back("update");
    if (seen.truncate) audited.events.emplace_back("truncate");
    found.audited.push_back(std::move(audited));
  }
}

std::vector<std::string> column_of(Session& session, std::string_view sql,
                                   std::string_view column) {
  std::vector<std::string> values;
  const Rows rows = session.query(sql);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    values.push_back(row.text(column));
  }
  return values;
}

}  // namespace

bool looks_like_a_log(std::string_view name) {
  const std::string lower = in_lower_case(name);
  for (const std::string_view part : {"audit", "journal", "_trail", "history", "logged_actions"})
    if (lower.find(part) != std::string::npos) return true;
  // "blog" and "catalog" are none.
  for (const std::string_view end : {"_log", "_logs", "log", "logs"}) {
    if (!lower.ends_with(end)) continue;
    if (lower.size() == end.size() || end.front() == '_') return true;
    const char first = name[name.size() - end.size()];
    if (first == 'L') return true;  // "BackupLog"
  }
  return lower.starts_with("log_") || lower.starts_with("logs_");
}

FoundInDatabase find_in_database(Session& session, const Schema& schema,
                                 const std::string& database) {
  FoundInDatabase found;
  found.database = database;
  found.version = session.server().version;
  found.tables = schema.whole_tables();
  found.foreign_keys = schema.whole_foreign_keys();
  found.triggers = schema.triggers;
  find_tables(schema, found);
  find_audited(session, schema, found);
  const Rows superusers = session.query(kSuperusers);
  for (std::size_t i = 0; i < superusers.size(); ++i) {
    const Row row = superusers[i];
    found.superusers.push_back(row.text("role"));
    found.we_are_superuser = found.we_are_superuser || row.flag("self");
  }
  found.writers = column_of(session, kWriters, "role");
  found.databases = column_of(session, kDatabases, "name");
  const Rows standbys = session.query(kStandbys);
  for (std::size_t i = 0; i < standbys.size(); ++i) {
    const Row row = standbys[i];
    found.standbys.push_back(row.text("name"));
    found.standby_host = row.maybe_text("host").value_or(found.standby_host);
  }
  const Row settings = session.query(kSettings).only();
  found.zone = settings.maybe_text("zone").value_or("");
  found.archives = settings.maybe_text("archive_mode").value_or("off") != "off";
  found.archive_command = settings.maybe_text("archive_command").value_or("");
  return found;
}

}  // namespace pg_integrity
