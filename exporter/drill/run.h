// One restore drill of one backup. Blocks; runs on a single thread, which must live as long as the
// drill.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/recovery/drill_records.h"
#include "exporter/config/options.h"
#include "exporter/drill/scratch_cluster.h"
#include "exporter/io/child_process.h"
#include "exporter/io/interruption.h"
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
  std::string target;  ///< connection string of an empty database; empty for a throwaway server
  int jobs = 1;
  ScratchPlace place;
};

struct Drilled {
  DrillRecord record;
  std::optional<ProofRecord> proof;  ///< nullopt if the drill proved nothing of the backup
};

/// Runs the drill. It writes no record.
/// @throws Interrupted
Drilled run_drill(const DrillJob& job, Interruption& interruption, ProcessResources& resources);

}  // namespace pg_integrity
