// One restore drill of one backup. Blocks; one thread, the one that lives as long as the drill.
#pragma once

#include <optional>
#include <string>

#include "collectors/base/instant.h"
#include "collectors/recovery/drill_records.h"
#include "exporter/config/options.h"
#include "exporter/drill/scratch_cluster.h"
#include "exporter/io/child_process.h"
#include "exporter/io/interruption.h"
#include "exporter/scheduler/runtime.h"

namespace pg_integrity {

/// A backup to be restored.
struct DrillJob {
  const ServerOptions& server;  ///< whose backup it is
  std::string database;         ///< the watched one that the backup is of
  std::string source;
  std::string kind;
  std::string backup;  ///< path
  UnixTime backup_time = 0;
  std::string wal_archive;  ///< where a base backup finds log that it does not hold; may be empty
  std::string target;       ///< connection string of an empty database; empty: a throwaway server
  int jobs = 1;
  ScratchPlace place;
};

struct Drilled {
  DrillRecord record;
  std::optional<ProofRecord> proof;  ///< nothing: the drill tells nothing of the backup
};

/// Writes nothing. @throws Interrupted
Drilled run_drill(const DrillJob& job, Interruption& interruption, ProcessResources& resources);

}  // namespace pg_integrity
