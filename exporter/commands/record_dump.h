// The command `drill --record` takes a dump. Beside it, it writes what its tables held in the
// dump's own snapshot, so that a later drill can prove every row of the dump.
#pragma once

#include <string>

#include "exporter/commands/command.h"

namespace pg_integrity {

struct RecordCommand {
  std::string config_path;  ///< empty: the environment
  std::string server;       ///< empty: the only one
  std::string database;     ///< empty: that of the connection string
  std::string dump;         ///< the file or folder to be written; must not exist
  std::string format;       ///< "custom" or "directory"
  int jobs = 1;             ///< of the directory format
};

/// @return 0 if the dump and its record are there. Otherwise neither is.
ExitCode record_dump(const RecordCommand& command);

}  // namespace pg_integrity
