#include "tests/support/process.h"
#include "tests/support/content.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "tests/support/temporary.h"

namespace pg_integrity::test {

namespace {

/// The directory for outputs. It lives as long as this test program.
const std::string& output_directory() {
  static const TemporaryDirectory directory;
  return directory.path();
}

[[noreturn]] void become(const std::vector<std::string>& command, const ProcessOptions& options,
                         const std::string& out, const std::string& err) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a killed test leaves no child behind
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // A shell makes its background jobs ignore SIGINT.
  for (const int number : {SIGPIPE, SIGINT}) std::signal(number, SIG_DFL);
  const int in = ::open("/dev/null", O_RDONLY);
  ::dup2(in, 0);
  ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), 1);
  ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), 2);
  for (const std::string& name : options.without) ::unsetenv(name.c_str());
  for (const auto& [name, value] : options.environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  std::perror(arguments[0]);
  ::_exit(127);
}

}  // namespace

Process::Process(std::vector<std::string> command, const ProcessOptions& options) {
  static int number = 0;
  const std::string base = output_directory() + "/" + std::to_string(++number);
  out_path_ = base + ".out";
  err_path_ = base + ".err";
  if (options.unprivileged) command = as_unprivileged(std::move(command));
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) become(command, options, out_path_, err_path_);
  ::setpgid(pid_, pid_);
}

Process::~Process() {
  if (!status_) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

void Process::signal(int number) const {
  ::kill(pid_, number);
}

std::optional<int> Process::wait_for(std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (!status_) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_)
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    else if (std::chrono::steady_clock::now() >= end)
      return std::nullopt;
    else
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return status_;
}

bool Process::running() {
  return !wait_for(std::chrono::milliseconds(0)).has_value();
}

std::string Process::out() const {
  return content_of(out_path_);
}

std::string Process::err() const {
  return content_of(err_path_);
}

Finished run(std::vector<std::string> command, const ProcessOptions& options) {
  const std::string name = command.front();
  Process process(std::move(command), options);
  const auto status = process.wait_for(std::chrono::minutes(2));
  if (!status) throw std::runtime_error(name + " did not end");
  return {*status, process.out(), process.err()};
}

std::vector<std::string> as_unprivileged(std::vector<std::string> command) {
  if (::geteuid() != 0) return command;
  std::vector<std::string> prefix{
      "setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--pdeathsig", "KILL",
      "--"};
  prefix.insert(prefix.end(), command.begin(), command.end());
  return prefix;
}

int free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ::bind(descriptor, reinterpret_cast<sockaddr*>(&address), length);
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(descriptor);
  return ntohs(address.sin_port);
}

}  // namespace pg_integrity::test
