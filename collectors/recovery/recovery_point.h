// The newest point that a server could provably be brought back to, gathered source by source. One
// thread.
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

/// Gathers the points during one pass over the sources. A point that is newer than the one on
/// record counts at once. Any other point counts at the end of the pass, if every source was read
/// or if the point meets the objective.
class RecoveryPoint {
 public:
  explicit RecoveryPoint(std::optional<Seconds> objective) : objective_(objective) {}

  void declare(Batch& out) const;
  /// Begins a pass.
  void begin();
  /// Adds a source that was read.
  void add(Sources& from, const std::string& source, const BackupHistory& history, Batch& out);
  /// Adds the moment that the WAL archive leads to, from a base backup that counts.
  /// @param archived nullopt if it is not known yet.
  void add(Sources& from, std::optional<Instant> archived, Batch& out);
  /// Adds a source that could not be read.
  void add(const SourceError& failure);
  /// Ends a pass, after all sources were added.
  void conclude(Sources& from, Batch& out) const;

 private:
  /// @return whether it is newer than all points that this pass has found before.
  bool take(Instant point, std::string of);
  [[nodiscard]] bool is_newer_than_known(Sources& from) const;
  void report(Sources& from, Batch& out) const;

  std::optional<Seconds> objective_;
  std::optional<Instant> newest_;
  std::string of_;                      ///< what leads to the newest point, for people
  std::optional<SourceError> failure_;  ///< of the first source that could not be read
};

}  // namespace pg_integrity
