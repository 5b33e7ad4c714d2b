// What parsing and checking `backups` share. Pure functions.
#pragma once

#include <optional>
#include <string_view>

#include "collectors/base/settings.h"
#include "collectors/options/backups.h"

namespace pg_integrity {

/// The program whose catalogue the source is, if it is one.
std::optional<CatalogueFormat> catalogue_format(const Settings& source);
/// The option of [[server.backups]] that such a catalogue is configured by.
std::string_view option_of(CatalogueFormat format);

}  // namespace pg_integrity
