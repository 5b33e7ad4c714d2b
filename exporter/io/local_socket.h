// A Unix socket by which commands of this program talk to the exporter that runs on the same
// machine. The kernel says who calls: only the exporter's own user and root are heard. One request
// is one text, and one text answers it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <thread>

#include "collectors/base/instant.h"
#include "exporter/io/descriptor.h"

namespace pg_integrity {

/// The longest text of a request or of an answer, in bytes.
inline constexpr std::size_t kLongestLocalText = std::size_t{64} << 10;

/// The longest time that one side waits for the other one to go on.
inline constexpr Seconds kLocalPatience{5};

class LocalListener {
 public:
  /// Listens on a socket of mode 0600. A socket that nobody listens on any more is replaced.
  /// @param answer makes the answer to one request, on the listener's thread. It must not throw.
  /// @throws SourceError{io} if the socket cannot be had, or if another process listens on it.
  LocalListener(std::string path, std::function<std::string(const std::string&)> answer);
  /// Removes the socket. A request that is being answered is answered first.
  ~LocalListener();
  LocalListener(const LocalListener&) = delete;
  LocalListener& operator=(const LocalListener&) = delete;

 private:
  void listen();
  void serve(const Descriptor& client) const;

  const std::string path_;
  const std::function<std::string(const std::string&)> answer_;
  const Descriptor socket_;
  const Descriptor end_;  ///< an eventfd: becomes readable when the thread is to end
  std::thread thread_;
};

/// Sends a text to the socket at that path, and waits for the answer.
/// @throws SourceError: connect if nobody listens there, permission if we may not talk to it,
/// timeout if the other side does not go on within kLocalPatience, io.
std::string ask_locally(const std::string& path, const std::string& text);

}  // namespace pg_integrity
