#include "exporter/io/interruption.h"

#include <pthread.h>

#include <csignal>
#include <initializer_list>

namespace pg_integrity {

namespace {

sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

}  // namespace

Interruption::Interruption() {
  const sigset_t signals = ending_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  thread_ = std::thread([this] { take_signals(); });
}

Interruption::~Interruption() {
  ended_ = true;
  thread_.join();
}

void Interruption::take_signals() {
  const sigset_t signals = ending_signals();
  const timespec nap{0, 50'000'000};
  while (!ended_) {
    if (::sigtimedwait(&signals, nullptr, &nap) <= 0) continue;
    interrupt();
  }
}

}  // namespace pg_integrity
