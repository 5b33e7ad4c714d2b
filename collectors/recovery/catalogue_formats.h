// The forms of catalogues: one reader for each program. Pure functions; safe on any thread.
#pragma once

#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/json_value.h"
#include "collectors/options/backups.h"
#include "collectors/ports/clock.h"
#include "collectors/recovery/backup_history.h"
#include "collectors/recovery/backup_list.h"

namespace pg_integrity {

/// What every reader needs besides the document.
struct CatalogueReading {
  const BackupCatalogue& catalogue;
  const std::vector<BackupKind>& kinds;
  const Clock& clock;
  BackupList* list = nullptr;  ///< gets every backup; nullptr: nobody wants them
};

/// `pgbackrest info --output=json`. A backup whose start WAL or stop WAL is not in the archive does
/// not count (`other`).
BackupHistory read_pgbackrest(const JsonValue& document, const CatalogueReading& reading);

/// `barman -f json list-backups SERVER`.
BackupHistory read_barman(const JsonValue& document, const CatalogueReading& reading);

/// Any other program that prints JSON, by the pointers of the catalogue.
BackupHistory read_by_pointers(const JsonValue& document, const CatalogueReading& reading);

/// Running or stuck, by the option `stuck_after` of its kind.
/// @param running the time since the backup began.
BackupStatus running_or_stuck(const std::vector<BackupKind>& kinds, const std::string& kind,
                              Seconds running);

}  // namespace pg_integrity
