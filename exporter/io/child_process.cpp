#include "exporter/io/child_process.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
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
constexpr std::array<std::string_view, 3> kPath{"/usr/local/bin", "/usr/bin", "/bin"};

/// What exec() wants, made before the fork: afterwards nothing may be allocated.
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

[[noreturn]] void become(const Command& command, char* const* arguments, char* const* environment,
                         pid_t parent, int out, int err) {
  ::setpgid(0, 0);
  if (command.niceness != 0) ::setpriority(PRIO_PROCESS, 0, command.niceness);
  if (command.account) {
    const gid_t group = command.account->gid;
    if (::setgroups(1, &group) != 0 || ::setresgid(group, group, group) != 0 ||
        ::setresuid(command.account->uid, command.account->uid, command.account->uid) != 0)
      ::_exit(126);
  }
  // After the change of user, which would undo it.
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
  ::close_range(3, ~0U, 0);  // what a library opened without O_CLOEXEC
  if (::chdir(command.directory.c_str()) != 0) ::_exit(126);
  ::execve(arguments[0], arguments, environment);
  ::_exit(127);
}

}  // namespace

void Children::interrupt() {
  happened_ = true;
  const std::lock_guard lock(mutex_);
  for (const auto& [group, signal] : groups_) end(group, signal);
}

void Children::end(pid_t group, int signal) {
  ::kill(signal == SIGKILL ? -group : group, signal);
}

void Children::watch(pid_t group, int signal) {
  const std::lock_guard lock(mutex_);
  groups_[group] = signal;
  if (happened_) end(group, signal);
}

void Children::unwatch(pid_t group) {
  const std::lock_guard lock(mutex_);
  groups_.erase(group);
}

std::optional<Account> account_named(const std::string& name) {
  const passwd* entry = ::getpwnam(name.c_str());
  if (entry == nullptr) return std::nullopt;
  return Account{name, entry->pw_uid, entry->pw_gid};
}

std::string Ended::last_word() const {
  if (!errors.empty()) return errors.back();
  return status > 128 ? "ended by signal " + std::to_string(status - 128)
                      : "exit status " + std::to_string(status);
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
  const Pipe err;
  std::optional<Pipe> out;
  if (command.keep_out) out.emplace();
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0)
    become(command, arguments.get(), environment.get(), parent, out ? out->ends[1] : command.out,
           err.ends[1]);
  ::close(err.ends[1]);
  err_ = err.ends[0];
  if (out) {
    ::close(out->ends[1]);
    out_ = out->ends[0];
  }
  if (pid_ < 0) throw SourceError(Reason::limit, "no process can be made");
  ::setpgid(pid_, pid_);
  children_.watch(pid_, command.end_signal);
}

Child::~Child() {
  if (!reaped_) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    children_.unwatch(pid_);
  }
  for (const int descriptor : {out_, err_})
    if (descriptor >= 0) ::close(descriptor);
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

bool Child::pump(int milliseconds) {
  std::array<pollfd, 2> waits{{{out_, POLLIN, 0}, {err_, POLLIN, 0}}};
  if (::poll(waits.data(), waits.size(), milliseconds) <= 0) return false;
  std::array<char, 65536> buffer{};
  for (std::size_t i = 0; i < waits.size(); ++i) {
    if (waits[i].fd < 0 || waits[i].revents == 0) continue;
    const ssize_t count = ::read(waits[i].fd, buffer.data(), buffer.size());
    if (count <= 0) {
      int& descriptor = i == 0 ? out_ : err_;
      ::close(descriptor);
      descriptor = -1;
      continue;
    }
    const std::string text(buffer.data(), static_cast<std::size_t>(count));
    if (i == 1) {
      take_errors(text);
    } else {
      take_out(text);
    }
  }
  return true;
}

bool Child::ended_within(Seconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!reaped_) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      reaped_ = true;
      children_.unwatch(pid_);
      ended_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      ::kill(-pid_, SIGKILL);  // whatever of its group is left
      // A process that left the group may hold the pipes open: it is not waited for.
      for (int looks = 0; looks < 100000 && (out_ >= 0 || err_ >= 0) && pump(100); ++looks)
        continue;
      if (!line_.empty()) take_errors("\n");
      return true;
    }
    const Seconds left = end - std::chrono::steady_clock::now();
    if (left.count() <= 0) return false;
    if (out_ < 0 && err_ < 0)
      std::this_thread::sleep_for(std::min(left, Seconds(0.01)));
    else
      pump(static_cast<int>(std::min(left.count(), 0.05) * 1000) + 1);
  }
  return true;
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
  if (there) throw SourceError(Reason::permission, "program " + name + " cannot be run by us");
  throw SourceError(Reason::missing, "there is no program " + name +
                                         ". HINT: install it, or write its whole path (searched: " +
                                         path_variable() + ")");
}

std::optional<std::string> start_of_process(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = text.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return std::nullopt;
  std::size_t at = name_end;
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = text.find(' ', at + 1);
  if (at == std::string::npos || text.compare(name_end, 3, ") Z") == 0) return std::nullopt;
  return text.substr(at + 1, text.find(' ', at + 1) - at - 1);
}

}  // namespace pg_integrity
