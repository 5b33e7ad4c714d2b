// The backups of a source one by one, for people: which are there, which count, and why others do
// not. Values and pure functions; safe on any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/options/backups.h"
#include "collectors/options/proof_level.h"
#include "collectors/recovery/archive_judgement.h"
#include "collectors/recovery/backup_history.h"
#include "collectors/recovery/drill_records.h"

namespace pg_integrity {

struct ListedBackup {
  std::string name;              ///< of the file or folder; the label in a catalogue
  std::optional<UnixTime> time;  ///< of its content; of what does not count, of its last change
  std::optional<double> size;    ///< bytes
  BackupStatus status{};
  bool counts = false;
  std::string why;                     ///< why it does not count; empty if it does
  std::optional<ProofLevel> level;     ///< how far it was proved, if it is a backup
  std::optional<UnixTime> checked_at;  ///< when that was found, beyond `plausible`
};

/// By kind. Every kind of the source has an entry.
using BackupList = std::map<std::string, std::vector<ListedBackup>>;

/// An entry of a directory, after it was judged.
/// @param proof about the entry as it is now; nullptr if there is none.
ListedBackup listed(const ArchiveDirectory& directory, const FileEntry& entry,
                    const ArchiveJudgement& judgement, const ProofRecord* proof);

/// Sorts each kind: the newest first, those of an unknown time last.
void sort_newest_first(BackupList& list);

}  // namespace pg_integrity
