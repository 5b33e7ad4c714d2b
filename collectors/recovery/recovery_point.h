// The newest point that a server could provably be brought back to, gathered source by source.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/collector.h"
#include "collectors/recovery/backup_history.h"

namespace pg_integrity {

/// Gathers during one pass over the sources. What is found of one counts at once if it is newer
/// than the point on record; that there is nothing so new is known only when all of them were read.
class RecoveryPoint {
 public:
  explicit RecoveryPoint(std::optional<Seconds> objective) : objective_(objective) {}

  void declare(Batch& out) const;
  /// A pass begins.
  void begin();
  /// A source was read.
  void add(Sources& from, const std::string& source, const BackupHistory& history, Batch& out);
  /// What the archive of the log leads to, from a base backup that counts.
  void add(Sources& from, std::optional<Instant> archived, Batch& out);
  /// A source could not be read.
  void add(const SourceError& failure);
  /// All sources were read, or could not be.
  void conclude(Sources& from, Batch& out) const;

 private:
  /// @return whether it is newer than what this pass has found so far.
  bool take(Instant point, std::string of);
  [[nodiscard]] bool is_newer_than_known(Sources& from) const;
  void report(Sources& from, Batch& out) const;

  std::optional<Seconds> objective_;
  std::optional<Instant> newest_;
  std::string of_;                      ///< what leads there
  std::optional<SourceError> failure_;  ///< why a source says nothing
};

}  // namespace pg_integrity
