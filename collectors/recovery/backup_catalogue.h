// Reads the catalogue of pgBackRest, Barman or any other program: the answer of the program itself,
// or a file that a timer writes.
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
#include "collectors/recovery/backup_list.h"

namespace pg_integrity {

/// A file with a catalogue.
struct CatalogueFile {
  std::string text;
  Seconds age{};  ///< since the last write, by the clock of its file system's machine
};

/// @throws SourceError{io, permission or too_large}
CatalogueFile read_catalogue_file(Files& files, const BackupCatalogue& catalogue);

/// Runs a catalogue's program and keeps its newest answer. One thread.
class CatalogueProgram {
 public:
  /// The newest answer. Runs the program if there is none yet, or if it is `refresh` old.
  /// @throws SourceError if the program failed. No answer is kept then.
  const std::string& ask(Processes& processes, const Clock& clock,
                         const BackupCatalogue& catalogue);
  /// Drops an answer that was no good, so that the next call of ask() runs the program.
  void forget() { answer_.reset(); }

 private:
  std::optional<std::string> answer_;
  Instant asked_at_{};
};

/// @param kinds those of catalogue_kinds().
/// @param list gets every backup; nullptr: nobody wants them.
/// @throws SourceError{decode} if the text is no such document.
/// @throws SourceError{missing} if it lacks the named stanza or server.
/// @throws SourceError{io or config} if pgBackRest could read none of its repositories. One of
/// several that it could not read has a `trouble` in the result.
BackupHistory read_catalogue(const Json& json, const Clock& clock, const BackupCatalogue& catalogue,
                             const std::string& text, const std::vector<BackupKind>& kinds,
                             BackupList* list = nullptr);

}  // namespace pg_integrity
