// The programs that open_repository() chooses from.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporter/drill/repository.h"

namespace pg_integrity {

/// @param base the program and its options, perhaps with those of `info`.
std::unique_ptr<Repository> open_pgbackrest(const BackupCatalogue& catalogue, Children& children,
                                            const std::optional<Account>& account, const Json& json,
                                            const std::vector<std::string>& base);
/// @param base the program and its options, perhaps with those of `list-backups`.
std::unique_ptr<Repository> open_barman(const BackupCatalogue& catalogue, Children& children,
                                        const std::optional<Account>& account, const Json& json,
                                        const Clock& clock, const std::vector<std::string>& base);

}  // namespace pg_integrity
