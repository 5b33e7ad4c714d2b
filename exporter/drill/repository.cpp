#include "exporter/drill/repository.h"

#include "collectors/base/errors.h"
#include "exporter/drill/repositories.h"

namespace pg_integrity {

std::unique_ptr<Repository> open_repository(const BackupCatalogue& catalogue, Children& children,
                                            const std::optional<Account>& account, const Json& json,
                                            const Clock& clock) {
  const auto& base = catalogue.drill_command.empty() ? catalogue.command : catalogue.drill_command;
  if (base.empty())
    throw SourceError(Reason::config,
                      "the catalogue is a file. HINT: `drill_command` of the source says how to "
                      "restore");
  return catalogue.format == CatalogueFormat::pgbackrest
             ? open_pgbackrest(catalogue, children, account, json, base)
             : open_barman(catalogue, children, account, json, clock, base);
}

}  // namespace pg_integrity
