// Functions that both the parser and the checks of `backups` use. Pure functions.
#pragma once

#include <optional>
#include <string_view>

#include "collectors/base/settings.h"
#include "collectors/options/backups.h"

namespace pg_integrity {

/// The program whose catalogue the source reads; empty if the source is no catalogue.
std::optional<CatalogueFormat> catalogue_format(const Settings& source);
/// The option of [[server.backups]] that configures such a catalogue.
std::string_view option_of(CatalogueFormat format);

}  // namespace pg_integrity
