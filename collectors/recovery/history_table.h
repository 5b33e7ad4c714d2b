// Reads the history of backups from a table of the watched database.
#pragma once

#include <string>
#include <vector>

#include "collectors/options/backups.h"
#include "collectors/postgres/schema.h"
#include "collectors/recovery/backup_history.h"

namespace pg_integrity {

class Session;

/// Each row has proof level 0 (on record), and never a higher one.
/// @throws SourceError if the table cannot be read.
BackupHistory read_history_table(Session& session, const Schema& schema,
                                 const HistoryTable& history, const std::vector<BackupKind>& kinds);

}  // namespace pg_integrity
