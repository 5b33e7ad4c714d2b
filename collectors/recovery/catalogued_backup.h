// One backup, as a catalogue has it, in one form for all catalogues. Values; one thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "collectors/base/instant.h"
#include "collectors/recovery/backup_history.h"
#include "collectors/recovery/backup_list.h"

namespace pg_integrity {

struct CataloguedBackup {
  std::string name;  ///< its label
  std::string kind;
  BackupStatus status = BackupStatus::success;
  std::string why{};                ///< why it does not count; empty for a success
  std::optional<UnixTime> start{};  ///< known for every success
  std::optional<UnixTime> stop{};   ///< nothing: as `start`
  std::optional<double> size{};     ///< bytes
};

/// Adds a backup to the history of its kind, which must be there.
/// @param list gets it, too; nullptr: nobody wants it.
void add_to(std::map<std::string, KindHistory>& kinds, const CataloguedBackup& backup, UnixTime now,
            BackupList* list = nullptr);

}  // namespace pg_integrity
