// What the exporter on this machine has on record, as it would show it now. It asks no database.
#pragma once

#include <memory>

#include "exporter/config/options.h"
#include "exporter/history/history.h"
#include "exporter/io/clock.h"
#include "exporter/report/report.h"
#include "exporter/scheduler/runtime.h"

namespace pg_integrity {

class OnRecord {
 public:
  /// Reads the state file. Blocks. The clock must outlive this object.
  OnRecord(Options options, const SystemClock& clock);

  /// @return false after printing on standard error that there is no state file.
  [[nodiscard]] bool is_there() const;
  [[nodiscard]] HistoryView history() const { return history_.view(); }
  [[nodiscard]] Report report() const;

 private:
  const SystemClock& clock_;
  const std::string state_dir_;
  ProcessResources resources_;
  History history_{true};
  bool is_there_ = false;
  std::unique_ptr<Runtime> runtime_;
};

}  // namespace pg_integrity
