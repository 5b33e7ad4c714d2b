// The thread of the sockets, on libevent. It accepts connections, reads requests, and writes
// answers. It never waits for anybody: the number of connections is bounded, and a newcomer takes
// the place of the connection that has rested for longest. Safe on any thread, unless said.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "exporter/http/connection.h"
#include "exporter/http/listening.h"
#include "exporter/http/reply.h"

namespace pg_integrity {

struct LoopHooks {
  std::function<void(Asked request)> asked;  ///< on the loop's thread; must not wait or throw
  std::function<ssl_st*()> new_tls;          ///< for a new connection; nullptr: plain. As above
  std::function<void()> lost;                ///< the loop has ended of itself
};

class Loop {
 public:
  explicit Loop(LoopHooks hooks);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Serves on these sockets. Call it once.
  /// @throws std::system_error if no thread can be started.
  void start(std::vector<ListeningSocket> sockets);
  /// Lets answers that are on their way out for a second, and ends.
  void stop();
  /// Answers the request of a connection. Does nothing if the connection is gone.
  void answer(std::uint64_t connection, Reply reply);
  [[nodiscard]] std::size_t connections() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pg_integrity
