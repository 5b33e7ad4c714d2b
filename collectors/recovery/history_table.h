// The history of backups that is a table of the watched database.
#pragma once

#include <string>
#include <vector>

#include "collectors/postgres/schema.h"
#include "collectors/recovery/backup_history.h"

namespace pg_integrity {

class Session;

/// A table in which somebody writes down each backup.
struct HistoryTable {
  QualifiedName table;
  std::string time_column;
  std::string kind_column;
  std::string status_column;  ///< empty: every row is a success
  std::vector<std::string> success, failed, running;
  std::vector<std::string> ignore;  ///< texts of the kind column that are no backups
  std::string zone;
  std::string finish_column{};  ///< empty: what counts for the schedule is the time column
};

/// A row is kOnRecord, and cannot be more.
/// @throws SourceError
BackupHistory read_history_table(Session& session, const Schema& schema,
                                 const HistoryTable& history, const std::vector<BackupKind>& kinds);

}  // namespace pg_integrity
