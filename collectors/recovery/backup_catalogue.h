// What pgBackRest or Barman say of their backups: asked themselves, or read from a file that a
// timer writes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/options/backups.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/files.h"
#include "collectors/ports/json.h"
#include "collectors/ports/processes.h"
#include "collectors/recovery/backup_history.h"

namespace pg_integrity {

/// A file with a catalogue.
struct CatalogueFile {
  std::string text;
  Seconds age{};  ///< since it was written, by the clock of its file system's machine
};

/// @throws SourceError: io, permission; too_large.
CatalogueFile read_catalogue_file(Files& files, const BackupCatalogue& catalogue);

/// What a catalogue's program has answered. One thread.
class CatalogueProgram {
 public:
  /// Its newest answer; it is run if there is none yet, or an old one.
  /// @throws SourceError, after which there is none.
  const std::string& ask(Processes& processes, const Clock& clock,
                         const BackupCatalogue& catalogue);
  /// The answer was no good: the next one is asked for at once.
  void forget() { answer_.reset(); }

 private:
  std::optional<std::string> answer_;
  Instant asked_at_{};
};

/// A backup whose start WAL or stop WAL is not in pgBackRest's archive is none yet.
/// @param kinds those of catalogue_kinds().
/// @throws SourceError: decode if it is no such document; missing if it has not that stanza or
/// server; io if pgBackRest could not read its repository.
BackupHistory read_catalogue(const Json& json, const Clock& clock, const BackupCatalogue& catalogue,
                             const std::string& text, const std::vector<BackupKind>& kinds);

}  // namespace pg_integrity
