// One restore drill of one backup. Blocks; runs on a single thread, which must live as long as the
// drill.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/integrity/inventory_memory.h"
#include "collectors/recovery/drill_records.h"
#include "exporter/config/options.h"
#include "exporter/drill/recovery.h"
#include "exporter/drill/work_directory.h"
#include "exporter/io/child_process.h"
#include "exporter/scheduler/runtime.h"

namespace pg_integrity {

/// The backup that a drill restores, and how.
struct DrillJob {
  const ServerOptions& server;  ///< the server that the backup is of
  std::string database;         ///< the watched database that the backup is of
  std::string source;
  std::string kind;
  std::string backup;  ///< path
  UnixTime backup_time = 0;
  std::vector<std::string> left_out;  ///< globs over "schema.table" that it need not hold
  std::string wal_archive;  ///< directory of WAL that a base backup does not hold; may be empty
  const BackupCatalogue* catalogue = nullptr;  ///< the repository that holds it, if any
  RecoveryTarget recovery{};                   ///< how far to recover from a repository
  std::string target;  ///< connection string of an empty database; empty for a throwaway server
  int jobs = 1;
  ScratchPlace place;
  std::string records;  ///< directory in which the drill tells how far it has come
  /// What the running exporter remembers of the source, if it does.
  std::optional<inventory::Memory> remembered{};
};

struct Drilled {
  DrillRecord record;
  std::optional<ProofRecord> proof;  ///< nullopt if the drill proved nothing of the backup
};

/// Runs the drill, in three phases. It fetches the backup into a work directory, where nothing of
/// it runs. It restores the copy in the sandbox. Then it judges the copy. A drill that is not done
/// by `drill_timeout` is ended. It writes no record.
/// @throws SourceError{config} if there is no sandbox; Interrupted.
Drilled run_drill(const DrillJob& job, Children& children, ProcessResources& resources);

}  // namespace pg_integrity
