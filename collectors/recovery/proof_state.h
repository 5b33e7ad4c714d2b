// What is proved of the backups of one kind, and which backup should be read next. Values; safe on
// any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/options/backups.h"
#include "collectors/recovery/backup_history.h"
#include "collectors/recovery/drill_records.h"
#include "collectors/recovery/read_backups.h"

namespace pg_integrity {

/// A kind of backup in a directory, as the collector `proofs` sees it.
struct ProvedKind {
  std::string source;
  std::string kind;
  std::string directory;
  std::vector<std::string> patterns;  ///< of the kind, and of those that satisfy it
  Seconds max_age{};                  ///< of a proof
  Seconds drill_max_age{};            ///< of a proof by a restore, if that may be older
  bool promised_age = false;          ///< the configuration says it
  bool promised = false;              ///< a schedule is promised
  /// The newest backup that is plausible and not known to be damaged.
  std::optional<NewestBackup> newest{};
  std::optional<Rejected> rejected{};  ///< the newest entry that does not count
  bool readable = false;               ///< the exporter may read it
  std::string postponed{};             ///< why it is not read for now
};

/// The proof of a kind that counts for longest, whether or not its file is still there.
struct NewestProof {
  ProofRecord record;
  std::string how;  ///< "read to its end", "restored", "restored and compared"
  double rows = 0;  ///< if read by us
  std::string why_sure;
  UnixTime until = 0;  ///< it counts until then
};

/// @param drills the records of drills, which count once they decoded all of a backup.
std::optional<NewestProof> newest_proof(const ProvedKind& kind, const ReadBackups& read,
                                        const std::vector<ProofRecord>& drills);

/// The kind whose newest backup should be read next: that whose proof is the oldest.
const ProvedKind* next_to_read(const std::vector<ProvedKind>& kinds, const ReadBackups& read,
                               const std::vector<ProofRecord>& drills, UnixTime now);

}  // namespace pg_integrity
