// Verifies base backups with PostgreSQL's own tools, and starts a copy of one that touches nothing
// else. Both run as child processes. Blocks; one thread.
#pragma once

#include <string>

#include "exporter/drill/scratch_cluster.h"
#include "exporter/io/child_process.h"
#include "exporter/io/interruption.h"

namespace pg_integrity {

/// Whether the folder was left by pg_basebackup, whole or not.
bool is_base_backup(const std::string& path);

/// How much of a base backup is compared with its manifest.
enum class BaseBackupCheck : std::uint8_t {
  files,  ///< names and sizes of files
  all,    ///< contents of files, too, and whether the needed WAL can be read
};

/// Compares a base backup with its manifest.
/// @param wal_archive the directory of WAL that the backup does not hold itself; may be empty.
/// @throws SourceError{missing} if the backup is tar files, if no PostgreSQL of its major version
/// is installed, or if the WAL that it needs is there only compressed.
/// @throws SourceError{decode} if its version, its label, its manifest or WAL that it needs is
/// missing or damaged.
/// @throws SourceError{io} if the directory of WAL cannot be read.
Ended verify_base_backup(Interruption& interruption, const std::string& path,
                         const std::string& wal_archive, BaseBackupCheck check);

/// Starts a server on a copy of the backup, and waits until it has recovered.
/// @param login the role that connects to the copy, and the database.
/// @throws SourceError{decode} if it does not recover.
/// @throws SourceError{missing} if it cannot be tried here.
/// @throws SourceError with another reason if copying or starting fails; Interrupted.
std::unique_ptr<ScratchCluster> start_base_backup(Interruption& interruption,
                                                  const ScratchPlace& place,
                                                  const std::string& path,
                                                  const std::string& wal_archive,
                                                  const ScratchLogin& login);

}  // namespace pg_integrity
