// Captures the log while the object lives, from level info on.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <string>

#include "exporter/io/logging.h"
#include "tests/support/content.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test {

class CapturedLog {
 public:
  CapturedLog() {
    flush_log();
    std::fflush(stderr);
    kept_ = ::dup(STDERR_FILENO);
    const std::string path = directory_.write("err", "");
    std::FILE* file = std::fopen(path.c_str(), "w");
    ::dup2(::fileno(file), STDERR_FILENO);
    std::fclose(file);
    start_logging(LogLevel::info);
  }
  ~CapturedLog() {
    start_logging(LogLevel::error);  // the level of the other tests
    flush_log();
    std::fflush(stderr);
    ::dup2(kept_, STDERR_FILENO);
    ::close(kept_);
  }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  [[nodiscard]] std::string written() const {
    flush_log();
    std::fflush(stderr);
    return content_of(directory_.path() + "/err");
  }

 private:
  TemporaryDirectory directory_;
  int kept_ = -1;
};

}  // namespace pg_integrity::test
