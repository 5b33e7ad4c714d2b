// Base backups as PostgreSQL's own tools read them, and a copy of one that can be started without
// touching anything else: as child processes. Blocks; one thread.
#pragma once

#include <string>

#include "exporter/drill/scratch_cluster.h"
#include "exporter/io/child_process.h"
#include "exporter/io/interruption.h"

namespace pg_integrity {

/// A folder that pg_basebackup left, whole or not.
bool is_base_backup(const std::string& path);

/// How much of one is held against its manifest.
enum class BaseBackupCheck : std::uint8_t {
  files,  ///< which files there are and how large
  all,    ///< what is in them, too, and that the log which it needs can be read
};

/// @param wal_archive where the log is that it does not hold itself; may be empty.
/// @throws SourceError{missing}: no PostgreSQL of its version is installed, or one that reads tar.
Ended verify_base_backup(Interruption& interruption, const std::string& path,
                         const std::string& wal_archive, BaseBackupCheck check);

/// A server that is made of a copy of the backup.
/// @param origin of which the backup is: who connects to the copy, and to which database.
/// @throws SourceError: decode if it does not recover, missing if it cannot be tried here.
std::unique_ptr<ScratchCluster> start_base_backup(Interruption& interruption,
                                                  const ScratchPlace& place,
                                                  const std::string& path,
                                                  const std::string& wal_archive,
                                                  const ScratchLogin& login);

}  // namespace pg_integrity
