// The command `backups` tells for each source and kind what there is, what counts, how it was
// proved, when the next one is due, and how far back the server could be brought.
#pragma once

#include <cstdint>
#include <string>

#include "exporter/commands/command.h"

namespace pg_integrity {

enum class OverviewFormat : std::uint8_t { text, json };

struct BackupsCommand {
  std::string config_path;  ///< empty: the environment
  OverviewFormat format = OverviewFormat::text;
};

/// Reads directories, catalogues and tables now, and takes the rest from the evidence on record. A
/// source that is out of reach is shown as it is on record. The codes are those of `check`, of the
/// question whether the servers could be got back.
ExitCode show_backups(const BackupsCommand& command);

}  // namespace pg_integrity
