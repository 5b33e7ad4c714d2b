#include "exporter/io/process_limits.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <exception>
#include <string_view>

namespace pg_integrity {

namespace {

constexpr int kArenas = 2;              // glibc would make eight for each processor
constexpr int kOwnMapping = 256 << 10;  // bytes from which a block is a mapping of its own

/// It must not need any memory.
void tell(std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

[[noreturn]] void end_in_one_line() noexcept {
  tell("pg_integrity_exporter: it cannot go on: ");
  try {
    if (const auto error = std::current_exception()) std::rethrow_exception(error);
    tell("a fault of the program");
  } catch (const std::exception& error) {
    tell(error.what());
  } catch (...) {
    tell("an unknown error");
  }
  tell(". HINT: raise the limits of memory, threads and files that this process has\n");
  ::_exit(1);
}

}  // namespace

void set_process_limits() {
  std::set_terminate(end_in_one_line);
  ::mallopt(M_ARENA_MAX, kArenas);
  ::mallopt(M_MMAP_THRESHOLD, kOwnMapping);
  ::mallopt(M_TRIM_THRESHOLD, kOwnMapping);
#ifndef __SANITIZE_ADDRESS__  // LeakSanitizer looks at this process from another one
  ::prctl(PR_SET_DUMPABLE, 0);
#endif
  rlimit core{};
  if (::getrlimit(RLIMIT_CORE, &core) == 0) {
    core.rlim_cur = 0;
    ::setrlimit(RLIMIT_CORE, &core);
  }
}

}  // namespace pg_integrity
