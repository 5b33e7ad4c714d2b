// Backups and their tools that are found on this machine. Blocks, so call it on a worker.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "collectors/base/instant.h"

namespace pg_integrity {

/// Files in one directory that look like dumps.
struct FoundDumps {
  std::string directory;
  std::string pattern;  ///< "*.dump"
  std::size_t files = 0;
  Seconds every{0};  ///< the usual time between two, as whole hours or days; 0: there is one file
};

struct FoundBackups {
  std::vector<std::string> stanzas;  ///< of pgBackRest's configuration
  bool pgbackrest = false;           ///< the program is there
  std::vector<std::string> barman_servers;
  bool barman = false;
  std::vector<FoundDumps> dumps;
};

/// Directories in which dumps often are.
std::vector<std::string> usual_directories();

/// @param directories and those directly in them are searched for dumps. Those that cannot be read
/// are left out.
/// @param root stands for "/" in the paths of configurations and programs; for tests.
FoundBackups find_backups(const std::vector<std::string>& directories,
                          const std::string& root = {});

}  // namespace pg_integrity
