#include "exporter/commands/reading_in_time.h"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>
#include <utility>
#include <vector>

#include "collectors/base/errors.h"
#include "exporter/commands/command.h"
#include "exporter/io/clock.h"
#include "exporter/io/directory_lock.h"
#include "exporter/io/logging.h"

namespace pg_integrity {

namespace {

constexpr Seconds kForConfiguration{4};
constexpr Seconds kForAcceptances{2};
constexpr Seconds kForStateDir{5};

/// A worker could not be sent, or did not come back.
std::vector<std::string> fault_of(const std::exception& error) {
  const auto* source = dynamic_cast<const SourceError*>(&error);
  if (source == nullptr) return {error.what()};
  return {fmt::format("{}. HINT: {}", error.what(),
                      source->reason() == Reason::timeout
                          ? "check the file system that it is on"
                          : "raise the limits of memory and threads that this process has")};
}

/// On a worker.
OwnedStateDir owned_now(const std::string& directory) {
  OwnedStateDir owned;
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    log(LogLevel::warning,
        "evidence will not survive a restart. HINT: create state_dir, or name another",
        {{"state_dir", directory}});
    return owned;
  }
  std::optional<Descriptor> lock = lock_directory(directory);
  if (!lock) {
    const std::string owner = owner_of(directory);
    throw SourceError(Reason::config,
                      fmt::format("state_dir {} belongs to another exporter{}. HINT: stop that one,"
                                  " or give each its own state_dir",
                                  directory, owner.empty() ? "" : ", process " + owner));
  }
  owned.path = directory;
  owned.lock = std::make_shared<Descriptor>(std::move(*lock));
  owned.state = state_on_record(directory, SystemClock());
  return owned;
}

}  // namespace

ReadOptions read_options_in_time(const std::string& config_path, const WaitableClock& clock,
                                 DisposableWorkers& workers) {
  try {
    return workers.run<ReadOptions>("the configuration", clock.now() + kForConfiguration,
                                    [config_path] { return read_options(config_path); });
  } catch (const std::exception& error) {
    return fault_of(error);
  }
}

ReadAcceptances read_acceptances_in_time(const Options& options, const WaitableClock& clock,
                                         DisposableWorkers& workers) {
  try {
    const auto shared = std::make_shared<const Options>(options);
    return workers.run<ReadAcceptances>("accept_dir " + options.accept_dir,
                                        clock.now() + kForAcceptances,
                                        [shared] { return read_acceptances(*shared); });
  } catch (const std::exception& error) {
    return fault_of(error);
  }
}

OwnedStateDir own_state_dir(const std::string& directory, const WaitableClock& clock,
                            DisposableWorkers& workers) {
  try {
    return workers.run<OwnedStateDir>("state_dir " + directory, clock.now() + kForStateDir,
                                      [directory] { return owned_now(directory); });
  } catch (const SourceError& error) {
    if (error.reason() == Reason::config) throw;
    log(LogLevel::warning,
        "evidence will not survive a restart. HINT: mend state_dir, and restart the exporter",
        {{"error", error.what()}});
    return {};
  }
}

}  // namespace pg_integrity
