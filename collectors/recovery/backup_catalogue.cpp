#include "collectors/recovery/backup_catalogue.h"

#include <algorithm>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/json_value.h"
#include "collectors/options/backups.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/files.h"
#include "collectors/ports/json.h"
#include "collectors/ports/processes.h"
#include "collectors/recovery/catalogue_formats.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxCatalogue = std::size_t{16} << 20;

JsonValue document_in(const Json& json, const std::string& text) {
  try {
    return json.read(text);
  } catch (const SourceError& error) {
    throw SourceError(error.reason(), std::string("the catalogue cannot be read: ") + error.what() +
                                          ". HINT: the program must print JSON and nothing else");
  }
}

}  // namespace

CatalogueFile read_catalogue_file(Files& files, const BackupCatalogue& catalogue) {
  FileEnds ends = files.ends(catalogue.file, kMaxCatalogue + 1, 0);
  if (ends.head.size() > kMaxCatalogue)
    throw SourceError(Reason::too_large, catalogue.file + " is larger than a catalogue");
  return {std::move(ends.head), Seconds(std::max(0.0, ends.file.read_at - ends.file.modified))};
}

const std::string& CatalogueProgram::ask(Processes& processes, const Clock& clock,
                                         const BackupCatalogue& catalogue) {
  const Instant now = clock.now();
  if (answer_ && now - asked_at_ < catalogue.refresh) return *answer_;
  answer_.reset();
  answer_ = processes.output({catalogue.command, catalogue.timeout, kMaxCatalogue});
  asked_at_ = now;
  return *answer_;
}

BackupStatus running_or_stuck(const std::vector<BackupKind>& kinds, const std::string& kind,
                              Seconds running) {
  const bool stuck = std::any_of(kinds.begin(), kinds.end(), [&](const BackupKind& one) {
    return one.name == kind && running > one.stuck_after;
  });
  return stuck ? BackupStatus::stuck : BackupStatus::running;
}

BackupHistory read_catalogue(const Json& json, const Clock& clock, const BackupCatalogue& catalogue,
                             const std::string& text, const std::vector<BackupKind>& kinds,
                             BackupList* list) {
  const JsonValue document = document_in(json, text);
  const CatalogueReading reading{catalogue, kinds, clock, list};
  switch (catalogue.format) {
    case CatalogueFormat::pgbackrest:
      return read_pgbackrest(document, reading);
    case CatalogueFormat::barman:
      return read_barman(document, reading);
    case CatalogueFormat::pointers:
      break;
  }
  return read_by_pointers(document, reading);
}

}  // namespace pg_integrity
