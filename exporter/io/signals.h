// The signals that end this process or make it read its configuration again. A thread takes them
// one after the other, so that no signal handler is needed.
#pragma once

#include <csignal>
#include <functional>
#include <thread>

namespace pg_integrity {

/// SIGTERM, SIGINT and SIGHUP.
sigset_t handled_signals();

/// Blocks these signals in all threads, so that only sigwait() and SignalThread receive them. Also
/// ignores SIGPIPE. Call it before any other thread starts.
void take_signals();

/// Starts a thread that no signal interrupts, whether take_signals() has been called or not.
/// @throws std::system_error if no thread can be started.
std::thread thread_without_signals(std::function<void()> work);

/// Unblocks SIGTERM and SIGINT in this thread. From then on the next one of them ends the process
/// at once.
void give_signals_back();

/// A thread that waits for these signals and runs an action for each one. It calls take_signals()
/// itself. If nobody has called that before, no other thread may have started yet.
class SignalThread {
 public:
  /// @param action runs on this thread, once for each signal, with its number. It must not throw.
  /// @throws std::system_error if no thread or descriptor is available.
  explicit SignalThread(std::function<void(int)> action);
  /// Waits until the action is not running any more.
  ~SignalThread();
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

 private:
  void wait_for_signals();

  const std::function<void(int)> action_;
  const int signals_;  ///< a signalfd
  const int end_;      ///< an eventfd: becomes readable when the thread is to end
  std::thread thread_;
};

}  // namespace pg_integrity
