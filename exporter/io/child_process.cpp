#include "exporter/io/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include "collectors/base/errors.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kTail = 4096;     ///< bytes
constexpr std::size_t kMaxLine = 2000;  ///< bytes
constexpr Seconds kLongestPoll{3600};   ///< poll() counts milliseconds in an int
/// Before Linux 5.3 no descriptor tells when a child has ended. Then we check this often.
constexpr Seconds kBlindNap{0.05};
constexpr std::array<std::string_view, 3> kPath{"/usr/local/bin", "/usr/bin", "/bin"};

/// The arguments or the environment for execve(). They are built before fork(), because the child
/// may not allocate memory.
class Strings {
 public:
  explicit Strings(std::vector<std::string> texts) : texts_(std::move(texts)) {
    for (std::string& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
  }
  [[nodiscard]] char* const* get() const { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

std::string path_variable() {
  std::string path;
  for (const std::string_view directory : kPath)
    path.append(path.empty() ? "" : ":").append(directory);
  return path;
}

std::vector<std::string> environment_of(const Command& command) {
  std::map<std::string, std::string> variables{
      {"PATH", path_variable()}, {"LC_ALL", "C"}, {"TZ", "UTC"}};
  for (const std::string& name : command.inherited)
    if (const char* value = std::getenv(name.c_str())) variables[name] = value;
  for (const auto& [name, value] : command.environment) variables[name] = value;
  std::vector<std::string> texts;
  for (const auto& [name, value] : variables) texts.emplace_back(name).append("=").append(value);
  return texts;
}

struct Pipe {
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      throw SourceError(Reason::limit, "no pipe can be made");
  }
  std::array<int, 2> ends{};
};

void close_descriptor(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

[[noreturn]] void become(const Command& command, char* const* arguments, char* const* environment,
                         pid_t parent, int out, int err) {
  ::setpgid(0, 0);
  if (command.niceness != 0) ::setpriority(PRIO_PROCESS, 0, command.niceness);
  if (command.expendable) {
    constexpr std::string_view kFirst = "1000";
    const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    [[maybe_unused]] const ssize_t written = ::write(score, kFirst.data(), kFirst.size());
  }
  if (command.account) {
    const gid_t group = command.account->gid;
    if (::setgroups(1, &group) != 0 || ::setresgid(group, group, group) != 0 ||
        ::setresuid(command.account->uid, command.account->uid, command.account->uid) != 0)
      ::_exit(126);
  }
  // Set after the change of user, which would clear it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(126);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(command.in >= 0 ? command.in : nothing, 0);
  ::dup2(out >= 0 ? out : nothing, 1);
  ::dup2(err, 2);
  ::close_range(3, ~0U, 0);  // those that a library opened without O_CLOEXEC
  if (::chdir(command.directory.c_str()) != 0) ::_exit(126);
  ::execve(arguments[0], arguments, environment);
  ::_exit(127);
}

}  // namespace

void Children::interrupt() {
  happened_ = true;
  {
    const MutexLock lock(mutex_);
    for (const auto& [group, signal] : groups_) end(group, signal);
  }
  const MutexLock lock(guards_mutex_);
  guards_told_ = true;
  for (const Guard* guard : guards_) guard->action_();
}

Children::Guard::Guard(Children& children, std::function<void()> action)
    : children_(children), action_(std::move(action)) {
  const MutexLock lock(children_.guards_mutex_);
  children_.guards_.insert(this);
  if (children_.guards_told_) action_();
}

Children::Guard::~Guard() {
  const MutexLock lock(children_.guards_mutex_);
  children_.guards_.erase(this);
}

void Children::end(pid_t group, int signal) {
  ::kill(signal == SIGKILL ? -group : group, signal);
}

void Children::watch(pid_t group, int signal) {
  const MutexLock lock(mutex_);
  groups_[group] = signal;
  if (happened_) end(group, signal);
}

void Children::unwatch(pid_t group) {
  const MutexLock lock(mutex_);
  groups_.erase(group);
}

std::optional<Account> account_named(const std::string& name) {
  const passwd* entry = ::getpwnam(name.c_str());
  if (entry == nullptr) return std::nullopt;
  return Account{name, entry->pw_uid, entry->pw_gid};
}

std::string Ended::last_word() const {
  if (!errors.empty()) return errors.back();
  return status > 128 ? fmt::format("ended by signal {}", status - 128)
                      : fmt::format("exit status {}", status);
}

Child::Child(Children& children, const Command& command)
    : children_(children),
      only_tail_(command.only_tail),
      max_out_(command.max_out),
      max_errors_(command.max_errors),
      on_line_(command.on_line) {
  children.check();
  const Strings arguments(command.arguments);
  const Strings environment(environment_of(command));
  std::optional<Pipe> err, out;
  if (command.err < 0) err.emplace();
  if (command.keep_out) out.emplace();
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0)
    become(command, arguments.get(), environment.get(), parent, out ? out->ends[1] : command.out,
           err ? err->ends[1] : command.err);
  if (err) {
    ::close(err->ends[1]);
    err_ = err->ends[0];
  }
  if (out) {
    ::close(out->ends[1]);
    out_ = out->ends[0];
  }
  if (pid_ < 0) throw SourceError(Reason::limit, "no process can be made");
  ::setpgid(pid_, pid_);
  end_ = end_of_process(pid_);
  children_.watch(pid_, command.end_signal);
}

Child::~Child() {
  if (!reaped_) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    children_.unwatch(pid_);
  }
  for (int* descriptor : {&end_, &out_, &err_}) close_descriptor(*descriptor);
}

void Child::signal(int number) const {
  if (!reaped_) ::kill(pid_, number);
}

void Child::take_errors(const std::string& text) {
  for (const char letter : text) {
    if (letter != '\n') {
      if (line_.size() < kMaxLine) line_ += letter;
      continue;
    }
    if (on_line_) on_line_(line_);
    if (ended_.errors.size() < max_errors_) ended_.errors.push_back(std::move(line_));
    line_.clear();
  }
}

void Child::take_out(const std::string& text) {
  ended_.out += text;
  if (only_tail_) {
    if (ended_.out.size() > kTail) ended_.out.erase(0, ended_.out.size() - kTail);
  } else if (ended_.out.size() > max_out_) {
    ended_.out.resize(max_out_);
    ended_.out_of_bounds = true;
    ::kill(-pid_, SIGKILL);
  }
}

void Child::read_from(int& descriptor) {
  std::array<char, 65536> buffer{};
  const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
  if (count <= 0) return close_descriptor(descriptor);
  const std::string text(buffer.data(), static_cast<std::size_t>(count));
  if (&descriptor == &err_)
    take_errors(text);
  else
    take_out(text);
}

bool Child::pump(Seconds longest, const Child* other) {
  std::array<pollfd, 6> waits{{{out_, POLLIN, 0},
                               {err_, POLLIN, 0},
                               {end_, POLLIN, 0},
                               {other == nullptr ? -1 : other->out_, POLLIN, 0},
                               {other == nullptr ? -1 : other->err_, POLLIN, 0},
                               {other == nullptr ? -1 : other->end_, POLLIN, 0}}};
  const bool blind =
      (!reaped_ && end_ < 0) || (other != nullptr && !other->reaped_ && other->end_ < 0);
  const Seconds time = std::min(longest, blind ? kBlindNap : kLongestPoll);
  if (::poll(waits.data(), waits.size(), static_cast<int>(std::ceil(time.count() * 1000))) <= 0)
    return false;
  if (waits[0].revents != 0) read_from(out_);
  if (waits[1].revents != 0) read_from(err_);
  return true;
}

/// @return it has ended.
bool Child::reap() {
  int status = 0;
  if (reaped_ || ::waitpid(pid_, &status, WNOHANG) != pid_) return reaped_;
  reaped_ = true;
  children_.unwatch(pid_);
  close_descriptor(end_);
  ended_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ::kill(-pid_, SIGKILL);  // the rest of its group
  // A process that left the group may still hold the pipes open. We read until nothing has come for
  // 0.1 s, and do not wait for that process.
  for (int looks = 0; looks < 100000 && (out_ >= 0 || err_ >= 0) && pump(Seconds(0.1)); ++looks)
    continue;
  for (int* descriptor : {&out_, &err_}) close_descriptor(*descriptor);
  if (!line_.empty()) take_errors("\n");
  return true;
}

bool Child::ended_within(Seconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!reap()) {
    const Seconds left = end - std::chrono::steady_clock::now();
    pump(std::max(left, Seconds(0)));
    if (left.count() <= 0) return reap();
  }
  return true;
}

bool Child::ended_before_news_of(const Child& other) {
  if (reap()) return true;
  pump(kLongestPoll, &other);
  return reap();
}

Ended Child::wait(Seconds longest) {
  const bool ended = ended_within(longest);
  if (!ended) {
    ::kill(-pid_, SIGKILL);
    ended_within(Seconds(10));
  }
  children_.check();
  if (!ended) throw SourceError(Reason::timeout, "a child process did not end in time");
  return std::move(ended_);
}

Ended run(Children& children, const Command& command, Seconds longest) {
  Child child(children, command);
  return child.wait(longest);
}

std::string path_of_program(const std::string& name) {
  std::vector<std::string> candidates;
  if (name.find('/') != std::string::npos)
    candidates.push_back(name);
  else
    for (const std::string_view directory : kPath)
      candidates.push_back(std::string(directory).append("/").append(name));
  bool there = false;
  for (const std::string& path : candidates) {
    if (::access(path.c_str(), X_OK) == 0) return path;
    there = there || errno == EACCES;
  }
  if (there)
    throw SourceError(Reason::permission, fmt::format("program {} cannot be run by us", name));
  throw SourceError(
      Reason::missing,
      fmt::format(
          "there is no program {}. HINT: install it, or write its whole path (searched: {})", name,
          path_variable()));
}

int end_of_process(pid_t pid) {
  // glibc 2.36 declares pidfd_open() for C alone.
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

std::optional<std::string> start_of_process(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = text.rfind(')');  // the name may contain anything
  if (name_end == std::string::npos) return std::nullopt;
  std::size_t at = name_end;
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = text.find(' ', at + 1);
  if (at == std::string::npos || text.compare(name_end, 3, ") Z") == 0) return std::nullopt;
  return text.substr(at + 1, text.find(' ', at + 1) - at - 1);
}

}  // namespace pg_integrity
