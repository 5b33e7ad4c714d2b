// The signals that end this process or have it read its configuration again, taken by a thread in
// its own time instead of by a handler.
#pragma once

#include <csignal>
#include <functional>
#include <thread>

namespace pg_integrity {

/// SIGTERM, SIGINT and SIGHUP.
sigset_t handled_signals();

/// From here on all threads leave these signals to sigwait() and SignalThread. Call it before any
/// other thread is started: it blocks them for all.
void take_signals();

/// From here on a second SIGTERM or SIGINT ends the process at once.
void give_signals_back();

/// A thread that waits for these signals and runs an action when one has come. It takes them first
/// if nobody has: then no other thread may have been started before.
class SignalThread {
 public:
  /// @param action runs on this thread, once for each signal; must not throw.
  /// @throws std::system_error if no thread or descriptor is to be had.
  explicit SignalThread(std::function<void()> action);
  /// The action is not running any more.
  ~SignalThread();
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

 private:
  void wait_for_signals();

  const std::function<void()> action_;
  const int signals_;  ///< a signalfd
  const int end_;      ///< an eventfd: becomes readable when the thread is to end
  std::thread thread_;
};

}  // namespace pg_integrity
