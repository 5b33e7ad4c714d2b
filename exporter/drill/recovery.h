// Recovery from a repository to its newest point or to a moment: which backup is restored, and the
// server that replays the WAL. Blocks; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/instant.h"
#include "exporter/drill/repository.h"
#include "exporter/drill/scratch_cluster.h"
#include "exporter/io/sandbox.h"

namespace pg_integrity {

/// How far a drill recovers.
struct RecoveryTarget {
  std::optional<UnixTime> time;       ///< a moment
  std::optional<std::uint64_t> seed;  ///< chooses the moment; neither: to the newest point
};

struct RecoveryPlan {
  RepositoryBackup backup;
  std::optional<UnixTime> target;  ///< nullopt: to the end of the archived WAL
};

/// "2026-01-31T12:00:00.123Z", UTC. Both letters may be missing, with a blank for the T.
/// @return nullopt if the text is no moment.
std::optional<UnixTime> parse_moment(std::string_view text);
/// The same, to the millisecond.
std::string format_moment(UnixTime moment);

/// Chooses the newest backup that the target allows. A seed chooses a moment between the end of the
/// newest backup and the newest archived WAL. The same seed chooses the same moment while the
/// repository is the same.
/// @throws SourceError{missing} if there is no such backup or no such moment; as Repository does.
RecoveryPlan plan_recovery(Repository& repository, const RecoveryTarget& target);

/// Starts a server on the restored data directory, and waits until it has recovered. A target that
/// lies behind the last commit of the log is reached at the end of the log.
/// @throws SourceError{decode} if it does not recover; as ScratchCluster does.
std::unique_ptr<ScratchCluster> start_recovery(Children& children, const Sandbox& sandbox,
                                               WorkDirectory& work, const Fetched& fetched,
                                               std::optional<UnixTime> target,
                                               const ScratchLogin& login);

}  // namespace pg_integrity
