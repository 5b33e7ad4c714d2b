// Tells systemd how this process is, if systemd has started it as a service of Type=notify. The
// protocol is that of sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names. Without that
// variable nothing is told.
//
//   ServiceManager manager(clock, [&] { publisher.body(); });
//   manager.ready();     // what `systemctl start` waits for
//   manager.stopping();
//
// One thread owns it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "collectors/base/instant.h"
#include "exporter/io/condition.h"
#include "exporter/io/stop_signal.h"

namespace pg_integrity {

class ServiceManager {
 public:
  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  /// @param alive returns while the process works, and hangs if it does not. It is called on a
  /// thread of its own, three times in the time that the watchdog allows. If it hangs, systemd
  /// starts the process anew. It must not throw.
  /// The clock must outlive this object.
  ServiceManager(const WaitableClock& clock, std::function<void()> alive);
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  /// Call it once the process answers. From then on the watchdog is fed, if systemd has one.
  /// @throws std::system_error if no thread is to be had.
  void ready();
  /// Call it when the process begins to end.
  void stopping() const { tell("STOPPING=1"); }

 private:
  void tell(const std::string& state) const;
  void feed_watchdog() const;

  const WaitableClock& clock_;
  const std::function<void()> alive_;
  const std::string socket_;               ///< empty: nobody is told
  const std::optional<Seconds> watchdog_;  ///< the time between two signs of life
  StopSignal stop_;
  std::thread thread_;
};

}  // namespace pg_integrity
