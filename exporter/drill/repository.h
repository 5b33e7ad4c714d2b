// A repository of pgBackRest or Barman, asked by the program itself: its backups, its archived WAL,
// and how both come into a work directory. The programs only read the repository. They run as the
// account, with the network, and nothing of a backup runs meanwhile. Blocks; one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/options/backups.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/json.h"
#include "exporter/drill/work_directory.h"
#include "exporter/io/child_process.h"

namespace pg_integrity {

struct RepositoryBackup {
  std::string label;
  UnixTime start = 0;
  UnixTime stop = 0;          ///< from here on the backup can be recovered to any moment
  std::string first_segment;  ///< of the WAL that it needs; empty: unknown
  double size = 0;            ///< bytes of the cluster
};

/// What came out of the repository.
struct Fetched {
  std::string wal;       ///< the folder with WAL that is not in the data directory; may be empty
  std::string timeline;  ///< setting recovery_target_timeline
};

class Repository {
 public:
  virtual ~Repository() = default;
  Repository() = default;
  Repository(const Repository&) = delete;
  Repository& operator=(const Repository&) = delete;

  /// The backups that succeeded, the oldest first.
  /// @throws SourceError; Interrupted.
  virtual std::vector<RepositoryBackup> backups() = 0;
  /// When the newest segment of WAL came into the archive.
  /// @throws SourceError{missing} if that is not known.
  virtual UnixTime newest_archived(const RepositoryBackup& backup) = 0;
  /// Restores into the empty data directory, and fetches the WAL up to the target.
  /// @param target nullopt: all of the WAL.
  /// @throws SourceError{decode} if the program calls the backup damaged or incomplete.
  /// @throws SourceError with another reason if it fails; Interrupted.
  virtual Fetched fetch(const RepositoryBackup& backup, std::optional<UnixTime> target,
                        const WorkDirectory& work) = 0;
};

/// @throws SourceError{config} if the catalogue is a file, and no command says how to restore.
std::unique_ptr<Repository> open_repository(const BackupCatalogue& catalogue, Children& children,
                                            const std::optional<Account>& account, const Json& json,
                                            const Clock& clock);

}  // namespace pg_integrity
