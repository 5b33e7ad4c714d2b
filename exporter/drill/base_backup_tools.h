// Verifies base backups with PostgreSQL's own tools, and starts a copy of one that touches nothing
// else. Both run as child processes. Blocks; one thread.
#pragma once

#include <string>

#include "exporter/drill/scratch_cluster.h"
#include "exporter/io/child_process.h"
#include "exporter/io/sandbox.h"

namespace pg_integrity {

/// Whether the folder was left by pg_basebackup, whole or not.
bool is_base_backup(const std::string& path);

/// Refuses links, which lead out of a copy to the files of the source. Refuses also any other entry
/// that is neither a file nor a directory.
/// @throws SourceError{missing or io}
void require_no_links(const std::string& path);

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
Ended verify_base_backup(Children& children, const Sandbox& sandbox, const std::string& path,
                         const std::string& wal_archive, BaseBackupCheck check);

/// The directory of programs of the major version of a data directory. No other version reads its
/// files or its WAL.
/// @throws SourceError{missing} if it is not installed, or if the backup is tar files.
/// @throws SourceError{decode} if its version is missing.
std::string programs_for(const std::string& path);

/// Removes what the source's server would obey: its settings, its primary and its slots. Its other
/// configuration is not read.
void forget_configuration(Children& children, const Sandbox& sandbox, const std::string& data);
/// Lets the server that starts on that directory recover from archived WAL.
void ask_for_recovery(Children& children, const Sandbox& sandbox, const std::string& data);
/// Setting restore_command, which copies from a folder.
std::string restore_command(const std::string& wal_archive);

/// Copies the backup into the work directory, without what its server would obey.
/// @throws SourceError{missing} if it holds links, so that the copy would lead to the source.
/// @throws SourceError with another reason if it is incomplete or copying fails; Interrupted.
void fetch_base_backup(Children& children, const Sandbox& sandbox, const WorkDirectory& work,
                       const std::string& path, const std::string& wal_archive);

/// Starts a server on the copy in the work directory, and waits until it has recovered.
/// @param login the role that connects to the copy, and the database.
/// @throws SourceError{decode} if it does not recover.
/// @throws SourceError{missing} if it cannot be tried here.
/// @throws SourceError with another reason if starting fails; Interrupted.
std::unique_ptr<ScratchCluster> start_base_backup(Children& children, const Sandbox& sandbox,
                                                  WorkDirectory& work,
                                                  const std::string& wal_archive,
                                                  const ScratchLogin& login);

}  // namespace pg_integrity
