#include "exporter/commands/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "exporter/evidence/spoken.h"
#include "exporter/report/printable.h"

namespace pg_integrity {

namespace {

constexpr Seconds kRefresh{1};
constexpr std::string_view kClearLine = "\r\x1b[K";
/// Standard terminals have 80 columns. A longer line could not be cleared.
constexpr std::size_t kWidth = 76;

void show(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

std::string progress_of(const Snapshot& snapshot) {
  std::size_t done = 0;
  std::string running;
  for (const auto& collector : snapshot.collectors) {
    const CollectorHealth& health = collector->health;
    if (health.attempted && !health.pass_since) {
      ++done;
    } else if (running.empty() && health.pass_since && health.pass_known > 0) {
      running = fmt::format("; {}: {} of {} objects", collector->spec->name,
                            grouped(health.pass_done), grouped(health.pass_known));
    }
  }
  return fmt::format("{} of {} collectors done{}", grouped(done),
                     grouped(snapshot.collectors.size()), running);
}

ProgressLine::ProgressLine(const Evidence& evidence, const WaitableClock& clock)
    : evidence_(evidence), clock_(clock) {
  if (::isatty(STDERR_FILENO) == 1) thread_ = std::thread([this] { show_until_done(); });
}

ProgressLine::~ProgressLine() {
  if (!thread_.joinable()) return;
  {
    const MutexLock lock(mutex_);
    done_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ProgressLine::show_until_done() {
  bool shown = false;
  for (;;) {
    {
      MutexLock lock(mutex_);
      const Instant due = clock_.now() + kRefresh;
      while (!done_ && clock_.now() < due) changed_.wait_until(mutex_, clock_, due);
      if (done_) break;
    }
    show(std::string(kClearLine) + clipped(progress_of(*evidence_.snapshot()), kWidth));
    shown = true;
  }
  if (shown) show(kClearLine);
}

}  // namespace pg_integrity
