// In how many places the backups of a source are: in its own, and in those of the sources that are
// copies of it. One thread.
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
  /// A new pass: nothing is known of it.
  void begin() { found_.clear(); }
  /// What one of the places holds. A source is looked at after all that are copies of it.
  void add(const BackupSource& source, const BackupHistory& history);
  /// Nobody knows what it holds.
  void add(const BackupSource& source, const SourceError& error);
  /// Places with a backup that is not too old, if the source asks for them: how many, where what is
  /// not known cannot change the verdict, else unproven.
  void report(const BackupSource& source, Batch& out) const;

 private:
  /// Of one kind in one place.
  struct Held {
    std::optional<Seconds> youngest;     ///< age of the newest backup that counts
    std::optional<SourceError> unknown;  ///< why there may be a newer one
  };
  using Places = std::map<std::string, std::map<std::string, Held>>;  ///< kinds by location

  Held& held(const BackupSource& source, const std::string& kind);

  std::map<std::string, Places> found_;  ///< by the source that they are of
};

}  // namespace pg_integrity
