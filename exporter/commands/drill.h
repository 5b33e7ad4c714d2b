// The command `drill` restores the newest backup into a throwaway cluster, compares it with what it
// should hold, and writes a record. With `--proof-only` it decodes the newest backups and writes
// proofs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "exporter/commands/command.h"

namespace pg_integrity {

struct DrillCommand {
  std::string config_path;     ///< empty: the environment
  std::string server;          ///< empty: the only one
  std::string source;          ///< empty: every directory source
  std::string kind;            ///< empty: every kind
  std::string backup;          ///< path; empty: the newest
  std::string target_time;     ///< repository: the moment to recover to; empty: the newest point
  bool random_target = false;  ///< repository: recover to a moment that `seed` chooses
  std::optional<std::uint64_t> seed;  ///< empty: another one each time
  std::string target;    ///< connection string of an empty database; empty: a throwaway cluster
  std::string user;      ///< account that runs the throwaway server, if we are root
  std::string work_dir;  ///< folder in which that server is made; empty: TMPDIR or /var/tmp
  int jobs = 1;
  bool proof_only = false;
};

/// Repositories of pgBackRest and Barman are drilled if `drill_command` or `--source` asks for it.
/// @return 0 if every drill succeeded (or every proof), 1 if a backup failed, 2 if something could
/// not be told. It is 3 if the command or the configuration cannot be used.
ExitCode drill(const DrillCommand& command);

}  // namespace pg_integrity
