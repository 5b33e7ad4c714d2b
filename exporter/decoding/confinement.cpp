#include "exporter/decoding/confinement.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <vector>

#include "exporter/decoding/bytes.h"

namespace pg_integrity::decoding {

namespace {

constexpr rlim_t kMemory = rlim_t{32} << 20;  ///< bytes of data that the process may write to

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;  // no filter then; the limits stay
#endif

/// What a decoder still does. None of these opens, connects, makes a process or writes to a file:
/// it has no descriptor that could be written to but its socket and its standard error.
constexpr std::array kAllowed{
    SYS_read,           SYS_pread64,        SYS_write,        SYS_sendmsg,
    SYS_recvmsg,        SYS_close,          SYS_fadvise64,    SYS_brk,
    SYS_mmap,           SYS_munmap,         SYS_mremap,       SYS_madvise,
    SYS_mprotect,       SYS_clock_gettime,  SYS_exit,         SYS_exit_group,
    SYS_rt_sigreturn,   SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_futex,
    SYS_getpid,         SYS_gettid,         SYS_getrandom,    SYS_fstat,
    SYS_restart_syscall};

void limit(__rlimit_resource resource, rlim_t value) {
  const rlimit both{value, value};
  if (::setrlimit(resource, &both) != 0)
    throw Unknown(Reason::limit, "the kernel refuses a limit to the process that reads");
}

void set_limits() {
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NPROC, 0);
  constexpr rlim_t kDescriptors = 8;
  limit(RLIMIT_NOFILE, kDescriptors);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  limit(RLIMIT_DATA, kMemory);
#endif
}

void stand_back() {
  ::setpriority(PRIO_PROCESS, 0, 19);
  // SCHED_IDLE would be starved on a busy machine.
  const sched_param none{};
  ::sched_setscheduler(0, SCHED_BATCH, &none);
  constexpr int kIdleClass = 3 << 13;  // linux/ioprio.h, which older headers lack
  ::syscall(SYS_ioprio_set, 1, 0, kIdleClass);
}

/// Not under AddressSanitizer, which asks the kernel about the stack whenever something is thrown.
[[maybe_unused]] void set_filter() {
  if (kArchitecture == 0) return;
  std::vector<sock_filter> filter;
  const auto add = [&](sock_filter instruction) { filter.push_back(instruction); };
  add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)));
  add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
  add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  for (const long number : kAllowed) {
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 1));
    add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    throw Unknown(Reason::limit, "the kernel refuses a filter to the process that reads");
}

}  // namespace

void confine() {
  ::prctl(PR_SET_NAME, "decode_backup");
  ::mallopt(M_ARENA_MAX, 1);
  stand_back();
  set_limits();
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    throw Unknown(Reason::limit, "the kernel refuses a filter to the process that reads");
#if !defined(__SANITIZE_ADDRESS__)
  set_filter();
#endif
}

}  // namespace pg_integrity::decoding
