#include "exporter/io/signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <initializer_list>
#include <system_error>
#include <utility>

namespace pg_integrity {

namespace {

int descriptor_of_signals() {
  const sigset_t signals = handled_signals();
  return ::signalfd(-1, &signals, SFD_CLOEXEC);
}

}  // namespace

sigset_t handled_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

void take_signals() {
  const sigset_t signals = handled_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

std::thread thread_without_signals(std::function<void()> work) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // the thread inherits this
  try {
    std::thread thread(std::move(work));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
}

void give_signals_back() {
  sigset_t signals = handled_signals();
  sigdelset(&signals, SIGHUP);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

SignalThread::SignalThread(std::function<void(int)> action)
    : action_(std::move(action)),
      signals_(descriptor_of_signals()),
      end_(::eventfd(0, EFD_CLOEXEC)) {
  if (signals_ < 0 || end_ < 0)
    throw std::system_error(errno, std::generic_category(), "waiting for signals");
  take_signals();
  thread_ = std::thread([this] { wait_for_signals(); });
}

SignalThread::~SignalThread() {
  ::eventfd_write(end_, 1);
  thread_.join();
  ::close(end_);
  ::close(signals_);
}

void SignalThread::wait_for_signals() {
  std::array<pollfd, 2> waits{{{signals_, POLLIN, 0}, {end_, POLLIN, 0}}};
  for (;;) {
    if (::poll(waits.data(), waits.size(), -1) < 0) continue;
    if (waits[1].revents != 0) return;
    signalfd_siginfo signal{};
    if (::read(signals_, &signal, sizeof signal) == sizeof signal)
      action_(static_cast<int>(signal.ssi_signo));
  }
}

}  // namespace pg_integrity
