// The history of verdicts, for people: what changed, when, and on what evidence. It is bounded and
// survives restarts in the state file. Each line has the hash of the line before, so whoever has
// filed the newest hash notices a removed or changed line. Safe on any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collectors/base/thread_annotations.h"
#include "collectors/ports/clock.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/evidence/state_file.h"
#include "exporter/evidence/state_section.h"
#include "exporter/history/chain.h"
#include "exporter/history/history_line.h"
#include "exporter/history/watched_states.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

/// The lines at one moment, the oldest first.
struct HistoryView {
  std::vector<KeptLine> lines;
  std::uint64_t number = 0;  ///< of the newest line that would survive the process; 0: none
  std::string hash;          ///< of that line
};

class History {
 public:
  /// @param saved somebody calls section() and then was_saved(). A hash is only shown for lines
  /// that were saved, because a line that is lost with the process would look removed.
  explicit History(bool saved, std::size_t most_lines = Chain::kMostLines,
                   std::size_t most_bytes = Chain::kMostBytes)
      : saved_(saved), chain_(most_lines, most_bytes) {}

  /// Goes on where the history of a state file ends. A line that does not fit the one before gives
  /// a line in the log.
  void restore(const SavedState& state);

  /// Appends what changed since the look before.
  /// @return true if something did.
  bool look(const Snapshot& snapshot, const Clock& clock);
  void append(HistoryEntry entry);

  /// What is to be saved.
  [[nodiscard]] StateSection section();
  /// The newest section() is on the disk.
  void was_saved();

  [[nodiscard]] HistoryView view() const;
  /// Grows whenever view() would differ.
  [[nodiscard]] std::uint64_t version() const;

 private:
  struct End {
    std::uint64_t number = 0;
    std::string hash;
  };
  void note_change() REQUIRES(mutex_);
  /// These lines cannot be lost any more.
  void file(const End& end) REQUIRES(mutex_);

  const bool saved_;
  mutable Mutex mutex_;
  Chain chain_ GUARDED_BY(mutex_);
  WatchedStates states_ GUARDED_BY(mutex_);
  End being_saved_ GUARDED_BY(mutex_);
  End filed_ GUARDED_BY(mutex_);
  std::uint64_t version_ GUARDED_BY(mutex_) = 1;
};

}  // namespace pg_integrity
