#include "collectors/backup_sources.h"

#include <algorithm>

#include "collectors/archive_time.h"
#include "collectors/table_scan.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxGroups = 1000;
constexpr std::size_t kMaxEntries = 10000;
constexpr double kClockTolerance = 60;  // seconds into the future that clocks may differ by

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
    add_success(kind, {*newest, Seconds(row.number("newest_age")), {}, "table"},
                Seconds(row.number("oldest_age")));
}

/// The archive's own header, else its name, else the time of its last change; where they disagree
/// the oldest is taken: a copy is no younger than what it copies.
NewestBackup oldest_claim(Files& files, const Clock& clock, const ArchiveDirectory& directory,
                          const FileEntry& entry) {
  const std::string path = directory.path + "/" + entry.name;
  const std::string archive = entry.kind == FileKind::directory ? path + "/toc.dat" : path;
  NewestBackup claim{entry.modified, {}, entry.size, "mtime"};
  if (const auto named = name_time(entry.name, clock, directory.zone);
      named && named->latest <= claim.time) {
    claim.time = named->latest;
    claim.time_source = "name";
  }
  const auto header = header_time(files.head(archive, kArchiveHeadBytes), clock, directory.zone);
  if (header && header->latest <= claim.time) {
    claim.time = header->latest;
    claim.time_source = "header";
  }
  return claim;
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

const ArchiveReader::Dated& ArchiveReader::date(Files& files, const Clock& clock,
                                                const ArchiveDirectory& directory,
                                                const FileEntry& entry,
                                                std::map<std::string, Dated>& known) {
  const std::string path = directory.path + "/" + entry.name;
  const auto before = known_.find(path);
  if (before != known_.end() && before->second.modified == entry.modified &&
      before->second.size == entry.size && before->second.readable)
    return known.insert_or_assign(path, before->second).first->second;
  Dated dated{entry.modified, entry.size, 0, {}, true};
  try {
    const NewestBackup claim = oldest_claim(files, clock, directory, entry);
    dated.time = claim.time;
    dated.time_source = claim.time_source;
  } catch (const SourceError& error) {
    if (error.reason() == Reason::timeout) throw;
    dated.readable = false;
  }
  return known.insert_or_assign(path, dated).first->second;
}

BackupHistory ArchiveReader::read(Files& files, const Clock& clock,
                                  const ArchiveDirectory& directory,
                                  const std::vector<BackupKind>& kinds) {
  BackupHistory found = empty_history(kinds);
  std::map<std::string, Dated> known;
  for (const BackupKind& declared : kinds) {
    KindHistory& kind = found.kinds[declared.name];
    const auto count = [&](BackupStatus status) { ++kind.runs[static_cast<std::size_t>(status)]; };
    for (const FileEntry& entry : files.list(directory.path, declared.pattern, kMaxEntries)) {
      if (entry.kind == FileKind::other) continue;
      if (entry.read_at - entry.modified < directory.settle.count()) {
        count(BackupStatus::running);
      } else if (entry.size < directory.min_size) {
        count(BackupStatus::failed);
      } else if (const Dated& dated = date(files, clock, directory, entry, known);
                 !dated.readable) {
        count(BackupStatus::other);
      } else {
        count(BackupStatus::success);
        const Seconds age(entry.read_at - dated.time);
        add_success(kind, {dated.time, age, entry.size, dated.time_source}, age);
      }
    }
  }
  known_ = std::move(known);
  return found;
}

}  // namespace pg_integrity
