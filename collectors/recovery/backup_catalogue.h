// What pgBackRest or Barman say of their backups: asked themselves, or read from a file that a
// timer writes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/files.h"
#include "collectors/ports/json.h"
#include "collectors/ports/processes.h"
#include "collectors/recovery/backup_history.h"

namespace pg_integrity {

enum class CatalogueFormat : std::uint8_t {
  pgbackrest,  ///< pgbackrest info --output=json
  barman,      ///< barman -f json list-backups SERVER
};

struct BackupCatalogue {
  CatalogueFormat format{};
  std::string file;   ///< empty: the program is asked
  std::string name;   ///< stanza of pgBackRest, server of Barman; empty: the only one in it
  Seconds max_age{};  ///< an older file says nothing of what came after it
  std::string zone;   ///< of Barman's backup IDs, which are wall-clock times
  std::vector<std::string> command{};  ///< the program and its arguments; empty: the file is read
  Seconds timeout{};                   ///< of one run of the program
  Seconds refresh{};                   ///< for so long its answer is good for further looks
};

/// The kinds of backup that a catalogue tells apart, each with what does for it.
std::vector<BackupKind> catalogue_kinds(CatalogueFormat format);

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
