#include "exporter/io/line_writer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "exporter/io/signals.h"

namespace pg_integrity {

namespace {

constexpr Seconds kForFlush{1};

}  // namespace

LineWriter::LineWriter(int descriptor) : descriptor_(descriptor) {
  thread_ = thread_without_signals([this] { work(); });
}

LineWriter::~LineWriter() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LineWriter::write(std::string line) {
  {
    const MutexLock lock(mutex_);
    if (lines_.size() >= kMostLines || bytes_ + line.size() > kMostBytes) {
      ++dropped_;
      return;
    }
    if (dropped_ > 0)
      line = fmt::format("level=warning msg=\"{} log lines were dropped: nobody read them\"\n{}",
                         std::exchange(dropped_, 0), line);
    bytes_ += line.size();
    lines_.push_back(std::move(line));
  }
  changed_.notify_all();
}

void LineWriter::flush() {
  const Instant until = clock_.now() + kForFlush;
  const MutexLock lock(mutex_);
  while ((writing_ || !lines_.empty()) && clock_.now() < until)
    changed_.wait_until(mutex_, clock_, until);
}

void LineWriter::work() {
  for (;;) {
    std::string line;
    {
      const MutexLock lock(mutex_);
      writing_ = false;
      changed_.notify_all();
      while (lines_.empty() && !ending_) changed_.wait(mutex_);
      if (lines_.empty()) return;
      line = std::move(lines_.front());
      lines_.pop_front();
      bytes_ -= line.size();
      writing_ = true;
    }
    write_now(line);
  }
}

void LineWriter::write_now(const std::string& line) const {
  std::size_t written = 0;
  while (written < line.size()) {
    const ssize_t count = ::write(descriptor_, line.data() + written, line.size() - written);
    if (count > 0) written += static_cast<std::size_t>(count);
    if (count < 0 && errno != EINTR) return;  // nobody is there to be told
  }
}

}  // namespace pg_integrity
