#include "exporter/history/history.h"

#include <utility>

#include "exporter/history/history_section.h"
#include "exporter/io/logging.h"

namespace pg_integrity {

void History::restore(const SavedState& state) {
  RecordedHistory recorded = history_on_record(state);
  const MutexLock lock(mutex_);
  states_ = std::move(recorded.states);
  if (const auto fault = chain_.restore(recorded.lines))
    log(LogLevel::warning,
        "a line of the history does not fit the line before: it was changed, or one was removed",
        {{"line", std::to_string(*fault)}});
  filed_ = {chain_.number(), chain_.hash()};
  ++version_;
}

void History::note_change() {
  ++version_;
  if (!saved_) file({chain_.number(), chain_.hash()});
}

void History::file(const End& end) {
  if (end.number == filed_.number && end.hash == filed_.hash) return;
  filed_ = end;
  ++version_;
  log(LogLevel::info, "history", {{"line", std::to_string(end.number)}, {"sha256", end.hash}});
}

bool History::look(const Snapshot& snapshot, const Clock& clock) {
  const MutexLock lock(mutex_);
  auto entries = states_.look(snapshot, clock);
  if (entries.empty()) return false;
  for (HistoryEntry& entry : entries) chain_.append(std::move(entry));
  note_change();
  return true;
}

void History::append(HistoryEntry entry) {
  const MutexLock lock(mutex_);
  chain_.append(std::move(entry));
  note_change();
}

StateSection History::section() {
  const MutexLock lock(mutex_);
  being_saved_ = {chain_.number(), chain_.hash()};
  return section_of(chain_, states_);
}

void History::was_saved() {
  const MutexLock lock(mutex_);
  if (being_saved_.number > 0) file(being_saved_);
}

HistoryView History::view() const {
  const MutexLock lock(mutex_);
  return {{chain_.lines().begin(), chain_.lines().end()}, filed_.number, filed_.hash};
}

std::uint64_t History::version() const {
  const MutexLock lock(mutex_);
  return version_;
}

}  // namespace pg_integrity
