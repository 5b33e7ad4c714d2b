// Counts the locations that hold the backups of a source: its own, and those of the sources that
// are copies of it. One thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/settings.h"
#include "collectors/options/backups.h"
#include "collectors/recovery/backup_history.h"

namespace pg_integrity {

class BackupCopies {
 public:
  /// Begins a new pass and forgets what was found.
  void begin() { found_.clear(); }
  /// Adds what one source holds. A source is added after all that are copies of it.
  void add(const BackupSource& source, const BackupHistory& history);
  /// Adds a source that could not be read.
  void add(const BackupSource& source, const SourceError& error);
  /// Reports how many locations hold a backup that counts and is not too old. Does nothing if the
  /// source has no `locations_min`. The count is unproven if unknown locations could change the
  /// verdict.
  void report(const BackupSource& source, Batch& out) const;

 private:
  /// The backups of one kind in one location.
  struct Held {
    std::optional<Seconds> youngest;     ///< age of the newest backup that counts
    std::optional<SourceError> unknown;  ///< why there may be a newer one
  };
  using Places = std::map<std::string, std::map<std::string, Held>>;  ///< kinds by location

  Held& held(const BackupSource& source, const std::string& kind);

  std::map<std::string, Places> found_;  ///< by the original source
};

}  // namespace pg_integrity
