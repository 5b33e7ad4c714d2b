// The history of backups that is a table of the watched database.
#pragma once

#include <string>
#include <vector>

#include "collectors/options/backups.h"
#include "collectors/postgres/schema.h"
#include "collectors/recovery/backup_history.h"

namespace pg_integrity {

class Session;

/// A row is on record, and cannot be more.
/// @throws SourceError
BackupHistory read_history_table(Session& session, const Schema& schema,
                                 const HistoryTable& history, const std::vector<BackupKind>& kinds);

}  // namespace pg_integrity
