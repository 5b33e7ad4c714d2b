// `drill --record`: takes a dump, and beside it writes what its tables held on its own snapshot, so
// that a later drill can prove every row of it.
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

/// 0: the dump and its record are there; else neither is.
ExitCode record_dump(const RecordCommand& command);

}  // namespace pg_integrity
