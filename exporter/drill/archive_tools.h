// Backups as PostgreSQL's own tools and the usual decompressors read them: pg_restore, psql, gzip
// and the like, as child processes. Blocks; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "exporter/io/child_process.h"
#include "exporter/io/interruption.h"

namespace pg_integrity {

enum class ArchiveForm : std::uint8_t { custom, tar, directory, plain };

struct Archive {
  std::string path;
  ArchiveForm form{};
  std::vector<std::string> decompressor;  ///< reads it from standard input; empty: none is needed

  [[nodiscard]] bool has_contents() const { return form != ArchiveForm::plain; }
};

/// Tells what it is from its beginning.
/// @throws SourceError: decode if it is no dump, permission or io if it cannot be read, missing if
/// its decompressor is not installed.
Archive archive_at(Interruption& interruption, const std::string& path);

/// The table of contents, as pg_restore --list prints it.
Ended list_contents(Interruption& interruption, const Archive& archive);

/// Decodes it to its end, whatever that takes.
Ended decode_whole(Interruption& interruption, const Archive& archive);

struct RestoreTarget {
  std::string dsn;  ///< without a password
  std::map<std::string, std::string> environment;
  std::optional<Account> account;  ///< whose psql runs a plain dump: it may hold commands for it
  int jobs = 1;
};

/// Restores into an empty database. Faults in the archive do not end it early: all are told.
Ended restore_into(Interruption& interruption, const Archive& archive, const RestoreTarget& target);

/// "Archive created at …" of a table of contents; empty if it does not say.
std::string creation_of(const std::string& contents);

/// What an error of a restore is about.
enum class Blame : std::uint8_t {
  nothing,       ///< the line is no error, or only adds to one
  backup,        ///< the backup cannot be restored
  surroundings,  ///< something is missing here that the backup does not claim to hold
};

struct RestoreFault {
  Blame blame = Blame::nothing;
  std::string what;  ///< one line without row values
};

/// What the lines of an unsuccessful restore mean, each fault once.
std::vector<RestoreFault> faults_in(const std::vector<std::string>& errors);

}  // namespace pg_integrity
