// What a drill found, and the outcome that follows. One thread.
#pragma once

#include <string>
#include <vector>

#include "collectors/recovery/drill_records.h"
#include "exporter/io/child_process.h"

namespace pg_integrity {

class DrillFindings {
 public:
  /// A fault of the backup.
  void fail(const std::string& reason) { faults_.push_back(reason); }
  /// A reason why the drill cannot tell.
  void doubt(const std::string& reason) { doubts_.push_back(reason); }
  /// The faults and doubts of a restore.
  /// @param user the role that the throwaway server has from the start.
  void take(const Ended& ended, const std::string& user);

  [[nodiscard]] bool faultless() const { return faults_.empty(); }
  [[nodiscard]] bool certain() const { return doubts_.empty(); }
  /// Whether objects need what is not on this machine.
  [[nodiscard]] bool objects_lack_here() const { return objects_lack_here_; }
  /// Writes outcome and reasons. If the restore broke for a reason of this machine, nothing that
  /// followed is the backup's fault.
  void conclude(DrillRecord& record);

 private:
  bool objects_lack_here_ = false;
  bool broke_here_ = false;
  std::vector<std::string> faults_;
  std::vector<std::string> doubts_;
};

}  // namespace pg_integrity
