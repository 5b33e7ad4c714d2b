#include "collectors/backup_sources.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "collectors/archive_time.h"
#include "collectors/table_scan.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxGroups = 1000;
constexpr std::size_t kMaxEntries = 10000;

const Column& column_of(const Table& table, const std::string& name) {
  const Column* column = table.column(name);
  if (column == nullptr)
    throw SourceError(Reason::missing, "table " + table.name.display() + " has no column " + name);
  return *column;
}

/// concat() prints any type by its own output function: no cast that somebody defined is called.
std::string text_sql(const Table& table, const std::string& column) {
  return "pg_catalog.left(pg_catalog.concat(" + sql_identifier(column_of(table, column).name) +
         "), 200)";
}

std::string history_sql(const Table& table, const HistoryTable& history) {
  const std::string moment = moment_sql(column_of(table, history.time_column), history.zone);
  const std::string status =
      history.status_column.empty() ? "''::text" : text_sql(table, history.status_column);
  return "SELECT kind, status, count(*) AS runs, count(*) FILTER (WHERE t > latest) AS future,"
         " extract(epoch FROM max(t) FILTER (WHERE usable)) AS newest,"
         " extract(epoch FROM now() - max(t) FILTER (WHERE usable)) AS newest_age,"
         " extract(epoch FROM now() - min(t) FILTER (WHERE usable)) AS oldest_age"
         " FROM (SELECT kind, status, t, latest, pg_catalog.isfinite(t) AND t <= latest AS usable"
         " FROM (SELECT " +
         text_sql(table, history.kind_column) + " AS kind, " + status + " AS status, " + moment +
         " AS t, now() + interval '1 minute' AS latest FROM " + table.from_clause() +
         ") r) s GROUP BY kind, status LIMIT " + std::to_string(kMaxGroups + 1);
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

BackupHistory empty_history(const std::vector<BackupKind>& kinds) {
  BackupHistory history;
  for (const BackupKind& kind : kinds) history.kinds[kind.name];
  return history;
}

void add_success(KindHistory& kind, const NewestBackup& backup, Seconds oldest_age) {
  if (!kind.newest || backup.time > kind.newest->time) kind.newest = backup;
  if (!kind.oldest_age || oldest_age > *kind.oldest_age) kind.oldest_age = oldest_age;
}

void add_group(const Row& row, BackupStatus status, KindHistory& kind) {
  kind.runs[static_cast<std::size_t>(status)] += row.number("runs");
  if (status != BackupStatus::success) return;
  kind.from_the_future += row.number("future");
  if (const auto newest = row.maybe_number("newest"))
    add_success(kind, {*newest, Seconds(row.number("newest_age")), {}, "table", {}},
                Seconds(row.number("oldest_age")));
}

/// The archive's own header, else its name, else the time of its last change; where they disagree
/// the oldest is taken: a copy is no younger than what it copies. Nothing if it is no backup.
std::optional<NewestBackup> oldest_claim(Files& files, const Clock& clock,
                                         const ArchiveDirectory& directory,
                                         const FileEntry& entry) {
  const bool folder = entry.kind == FileKind::directory;
  const std::string path = directory.path + "/" + entry.name + (folder ? "/toc.dat" : "");
  const std::string head = files.head(path, kArchiveHeadBytes);
  if (folder ? !is_archive(head) : !is_backup(head)) return std::nullopt;
  NewestBackup claim{entry.modified, {}, entry.size, "mtime", entry.name};
  if (const auto named = name_time(entry.name, clock, directory.zone);
      named && named->latest <= claim.time) {
    claim.time = named->latest;
    claim.time_source = "name";
  }
  const auto header = header_time(head, clock, directory.zone);
  if (header && header->latest <= claim.time) {
    claim.time = header->latest;
    claim.time_source = "header";
  }
  return claim;
}

/// A folder without toc.dat (io) and a damaged gzip file (decode) are no backups; what could not be
/// opened for other reasons may be one.
bool may_be_backup(const FileEntry& entry, Reason reason) {
  return reason == Reason::permission ||
         (reason == Reason::io && entry.kind != FileKind::directory);
}

void add_unreadable(KindHistory& kind, const Unreadable& entry) {
  if (!kind.newest_unreadable || entry.changed > kind.newest_unreadable->changed)
    kind.newest_unreadable = entry;
}

}  // namespace

BackupHistory read_history_table(Session& session, const Schema& schema,
                                 const HistoryTable& history,
                                 const std::vector<BackupKind>& kinds) {
  const Table* table = schema.table(history.table);
  if (table == nullptr)
    throw SourceError(Reason::missing, "table " + history.table.display() + " does not exist");
  const Rows rows = session.query(history_sql(*table, history));
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

ArchiveReader::Dated ArchiveReader::date(Files& files, const Clock& clock,
                                         const ArchiveDirectory& directory,
                                         const FileEntry& entry) {
  const auto before = known_.find(entry.name);
  if (before != known_.end() && before->second.modified == entry.modified &&
      before->second.size == entry.size)
    return before->second;
  Dated dated{entry.modified, entry.size, {}, {}};
  try {
    dated.backup = oldest_claim(files, clock, directory, entry);
    known_.insert_or_assign(entry.name, dated);
  } catch (const SourceError& error) {
    if (error.reason() == Reason::timeout) throw;
    if (may_be_backup(entry, error.reason()))
      dated.unreadable = Unreadable{entry.modified, error.reason(), error.what()};
  }
  return dated;
}

BackupStatus ArchiveReader::classify(Files& files, const Clock& clock,
                                     const ArchiveDirectory& directory, const FileEntry& entry,
                                     KindHistory& kind) {
  if (entry.kind == FileKind::other) {
    if (entry.trouble)
      add_unreadable(kind, {entry.modified > 0 ? entry.modified : HUGE_VAL, *entry.trouble,
                            directory.path + "/" + entry.name + " cannot be read"});
    return BackupStatus::other;
  }
  if (entry.read_at - entry.modified < directory.settle.count()) return BackupStatus::running;
  if (entry.size < directory.min_size) return BackupStatus::failed;
  const Dated dated = date(files, clock, directory, entry);
  if (dated.unreadable) add_unreadable(kind, *dated.unreadable);
  if (!dated.backup) return BackupStatus::other;
  NewestBackup backup = *dated.backup;
  backup.age = Seconds(entry.read_at - backup.time);
  add_success(kind, backup, backup.age);
  return BackupStatus::success;
}

BackupHistory ArchiveReader::read(Files& files, const Clock& clock,
                                  const ArchiveDirectory& directory,
                                  const std::vector<BackupKind>& kinds) {
  BackupHistory found = empty_history(kinds);
  std::set<std::string> present;
  for (const BackupKind& declared : kinds) {
    KindHistory& kind = found.kinds[declared.name];
    for (const FileEntry& entry : files.list(directory.path, declared.pattern, kMaxEntries)) {
      ++kind.runs[static_cast<std::size_t>(classify(files, clock, directory, entry, kind))];
      present.insert(entry.name);
    }
  }
  std::erase_if(known_, [&](const auto& known) { return !present.contains(known.first); });
  return found;
}

}  // namespace pg_integrity
