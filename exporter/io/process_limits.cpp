#include "exporter/io/process_limits.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace pg_integrity {

namespace {

constexpr int kArenas = 2;              // glibc would make eight for each processor
constexpr int kOwnMapping = 256 << 10;  // bytes from which a block is a mapping of its own

}  // namespace

void set_process_limits() {
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
