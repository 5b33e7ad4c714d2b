// Reads what the configuration names on disposable workers. A file system that hangs becomes a
// fault in words, at a deadline, and holds up nobody. Safe on any thread.
#pragma once

#include <memory>
#include <string>

#include "exporter/config/acceptances.h"
#include "exporter/config/config.h"
#include "exporter/evidence/state_file.h"
#include "exporter/io/condition.h"
#include "exporter/io/descriptor.h"
#include "exporter/io/disposable_workers.h"

namespace pg_integrity {

/// As read_options(). Four seconds at most.
ReadOptions read_options_in_time(const std::string& config_path, const WaitableClock& clock,
                                 DisposableWorkers& workers);

/// As read_acceptances(). Two seconds at most.
ReadAcceptances read_acceptances_in_time(const Options& options, const WaitableClock& clock,
                                         DisposableWorkers& workers);

/// A state_dir that belongs to this process alone.
struct OwnedStateDir {
  std::string path;                  ///< empty: evidence does not survive a restart
  std::shared_ptr<Descriptor> lock;  ///< it is ours while this lives
  SavedState state;                  ///< what was found there
};

/// Takes the directory and reads its state. A directory that cannot be used is left alone, and a
/// line in the log says so. Five seconds at most.
/// @throws SourceError{config} if it belongs to another process. Its text is one line with a hint.
OwnedStateDir own_state_dir(const std::string& directory, const WaitableClock& clock,
                            DisposableWorkers& workers);

}  // namespace pg_integrity
