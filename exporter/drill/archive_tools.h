// Reads and restores dumps with PostgreSQL's own tools (pg_restore, psql) and the usual
// decompressors (gzip and the like), as child processes in a sandbox. Blocks; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "exporter/io/child_process.h"
#include "exporter/io/descriptor.h"
#include "exporter/io/sandbox.h"

namespace pg_integrity {

enum class ArchiveForm : std::uint8_t { custom, tar, directory, plain };

struct Archive {
  std::string path;
  ArchiveForm form{};
  std::vector<std::string> decompressor;  ///< reads from standard input; empty if none is needed

  [[nodiscard]] bool has_contents() const { return form != ArchiveForm::plain; }
  /// The file that begins it.
  [[nodiscard]] std::string beginning() const {
    return form == ArchiveForm::directory ? path + "/toc.dat" : path;
  }
};

/// Opens a file of a dump to be read.
/// @throws SourceError{permission or io}
Descriptor open_archive(const std::string& path);

/// Tells from its beginning what a dump is. Checks that an uncompressed tar archive is whole.
/// @throws SourceError{decode} if it is no dump, or a tar archive that ends early.
/// @throws SourceError{permission or io} if it cannot be read.
/// @throws SourceError{missing} if its decompressor is not installed.
Archive archive_at(Children& children, const Sandbox& sandbox, const std::string& path);

/// The table of contents, as pg_restore --list prints it.
Ended list_contents(Children& children, const Sandbox& sandbox, const Archive& archive);

/// Decodes the archive to its end, without a time limit.
Ended decode_whole(Children& children, const Sandbox& sandbox, const Archive& archive);

struct RestoreTarget {
  std::string dsn;  ///< without a password
  std::map<std::string, std::string> environment;
  SandboxView view{};  ///< what is needed to reach the server
  int jobs = 1;
};

/// Restores into an empty database. Goes on after a fault in the archive, and reports all faults. A
/// file that the sandbox's account cannot read is handed over open, and takes one job.
Ended restore_into(Children& children, const Sandbox& sandbox, const Archive& archive,
                   const RestoreTarget& target);

/// The time after "Archive created at" in a table of contents; empty if it is not there.
std::string creation_of(const std::string& contents);

/// The cause of an error of a restore.
enum class Blame : std::uint8_t {
  nothing,       ///< the line is no error, or only adds to one
  backup,        ///< the backup cannot be restored
  surroundings,  ///< something is missing here that the backup does not claim to hold
  objects,       ///< the same, and objects that need it cannot be restored here
  accident,      ///< the restore broke here, and whatever follows tells nothing of the backup
};

struct RestoreFault {
  Blame blame = Blame::nothing;
  std::string what;  ///< one line without row values
};

/// The faults that the error lines of an unsuccessful restore tell of, each fault once.
/// @param user the role that was there before the restore. A dump of a cluster makes it, too.
std::vector<RestoreFault> faults_in(const std::vector<std::string>& errors,
                                    const std::string& user = {});

}  // namespace pg_integrity
