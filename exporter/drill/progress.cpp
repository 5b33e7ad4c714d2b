#include "exporter/drill/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "collectors/base/errors.h"
#include "collectors/base/units.h"
#include "exporter/drill/record_files.h"
#include "exporter/io/clock.h"
#include "exporter/io/console.h"

namespace pg_integrity {

namespace {

namespace fs = std::filesystem;

constexpr Seconds kBetweenNotes{10};

}  // namespace

double bytes_below(const std::string& folder) {
  double bytes = 0;
  std::error_code error;
  auto entry = fs::recursive_directory_iterator(
      folder, fs::directory_options::skip_permission_denied, error);
  while (!error && entry != fs::recursive_directory_iterator()) {
    std::error_code gone;  // files come and go meanwhile
    if (entry->is_regular_file(gone) && !gone)
      if (const auto size = entry->file_size(gone); !gone) bytes += static_cast<double>(size);
    entry.increment(error);
  }
  return bytes;
}

std::string in_words(const DrillProgress& progress) {
  constexpr double kMegabyte = 1e6;
  std::string text = fmt::format("{}: {:.0f} MB", progress.phase, progress.bytes / kMegabyte);
  if (progress.all_bytes <= 0) return text;
  text += fmt::format(" of {:.0f} MB, {:.0f} %", progress.all_bytes / kMegabyte,
                      std::min(100.0, 100 * progress.bytes / progress.all_bytes));
  return text;
}

ProgressNotes::ProgressNotes(const WaitableClock& clock, std::string directory, DrillProgress drill)
    : clock_(clock),
      directory_(std::move(directory)),
      now_(std::move(drill)),
      thread_([this] { watch(); }) {}

ProgressNotes::~ProgressNotes() {
  done_.stop();
  thread_.join();
  const MutexLock lock(mutex_);
  remove_progress(directory_, now_);
}

void ProgressNotes::begin(const std::string& phase) {
  {
    const MutexLock lock(mutex_);
    now_.phase = phase;
    now_.bytes = now_.all_bytes = 0;
    folder_.clear();
  }
  note();
}

void ProgressNotes::set(double bytes, double all_bytes) {
  const MutexLock lock(mutex_);
  now_.bytes = bytes;
  now_.all_bytes = all_bytes;
}

void ProgressNotes::measure(const std::string& folder, double all_bytes) {
  const MutexLock lock(mutex_);
  folder_ = folder;
  now_.all_bytes = all_bytes;
}

void ProgressNotes::watch() {
  while (done_.wait_until(clock_, clock_.now() + kBetweenNotes)) {
    note();
    DrillProgress now;
    {
      const MutexLock lock(mutex_);
      now = now_;
    }
    if (now.bytes > 0) say(fmt::format("{}/{}: {}", now.source, now.kind, in_words(now)));
  }
}

void ProgressNotes::note() {
  std::string folder;
  {
    const MutexLock lock(mutex_);
    folder = folder_;
  }
  const double bytes = folder.empty() ? 0 : bytes_below(folder);
  DrillProgress now;
  {
    const MutexLock lock(mutex_);
    if (!folder.empty() && folder == folder_) now_.bytes = bytes;
    now_.written = clock_.unix_now();
    now = now_;
  }
  try {
    save_progress(directory_, now);
  } catch (const SourceError&) {
    // the drill's own record will say that the directory cannot be written
  }
}

}  // namespace pg_integrity
