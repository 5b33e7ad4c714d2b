// The acceptances that hold beside those of the configuration file: those in the files of
// accept_dir, and those that somebody told the running exporter. Safe on any thread.
#pragma once

#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/thread_annotations.h"
#include "collectors/options/accept.h"
#include "exporter/config/acceptances.h"
#include "exporter/config/options.h"
#include "exporter/evidence/state_section.h"
#include "exporter/io/mutex.h"
#include "exporter/report/acceptable.h"

namespace pg_integrity {

class StandingAcceptances {
 public:
  /// @param in_files those that were read at the start.
  explicit StandingAcceptances(std::vector<ServerAcceptance> in_files);

  /// Takes over what an earlier process was told.
  void restore(std::vector<ServerAcceptance> told);

  /// Takes files that were read anew. If one has a fault, the old ones stay, and `faults` has the
  /// lines.
  /// @return true if others are in force now.
  bool take_files(ReadAcceptances read, std::vector<std::string>& faults);

  struct Answer {
    bool accepted = false;
    std::string text;  ///< one line
  };
  /// Takes a text that somebody sent. It is taken as a whole or not at all. Each of its objects
  /// must be one of `acceptable`. Where the text does not say `at_most`, the present distance is
  /// accepted.
  Answer tell(const std::string& text, const Options& options,
              const std::vector<Acceptable>& acceptable, UnixTime now);

  /// Puts all in force that have not ended.
  void apply(UnixTime now, Options& options) const;

  /// What was told, for the state file.
  [[nodiscard]] StateSection section() const;

 private:
  mutable Mutex mutex_;
  std::vector<ServerAcceptance> in_files_ GUARDED_BY(mutex_);
  std::vector<ServerAcceptance> told_ GUARDED_BY(mutex_);
};

}  // namespace pg_integrity
