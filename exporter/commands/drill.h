// `drill`: restores the newest backup into a throwaway cluster, compares it with what it should
// hold, and leaves a record. `drill --proof-only`: decodes the newest backups and leaves proofs.
#pragma once

#include <string>

#include "exporter/commands/command.h"

namespace pg_integrity {

struct DrillCommand {
  std::string config_path;  ///< empty: the environment
  std::string server;       ///< empty: the only one
  std::string source;       ///< empty: every directory source
  std::string kind;         ///< empty: every kind
  std::string backup;       ///< path; empty: the newest
  std::string target;       ///< connection string of an empty database; empty: a throwaway cluster
  std::string user;         ///< who runs the throwaway server, if we are root
  std::string work_dir;     ///< where it is made
  int jobs = 1;
  bool proof_only = false;
};

/// 0: every drill succeeded, or every proof; 1: a backup failed; 2: something could not be told; 3:
/// the command or the configuration cannot be used.
ExitCode drill(const DrillCommand& command);

}  // namespace pg_integrity
