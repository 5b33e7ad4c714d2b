#include "exporter/postgres/session_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/collector.h"
#include "collectors/ports/clock.h"
#include "exporter/postgres/server_timeouts.h"

namespace pg_integrity {

namespace {

constexpr std::chrono::milliseconds kBetweenGone{250};

constexpr Seconds kUntraceable{600};  ///< how long a slot is held when its end cannot be seen

int second_descriptor(int original) {
  const int descriptor = ::fcntl(original, F_DUPFD_CLOEXEC, 3);
  if (descriptor < 0)
    throw SourceError(Reason::limit,
                      fmt::format("no file descriptor is left to watch over a session: {}. HINT:"
                                  " raise the limit of open files (LimitNOFILE)",
                                  std::generic_category().message(errno)),
                      SourceError::Scope::session);
  return descriptor;
}

/// The server process behind a Unix socket, if it is visible from here. Its parent must be the
/// postmaster that listens on the socket.
/// @return 0 with another PID namespace or a pooler.
pid_t visible_backend(int socket, int backend_pid) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || peer.pid <= 0) return 0;
  std::ifstream file(fmt::format("/proc/{}/stat", backend_pid));
  std::string stat;
  std::getline(file, stat);
  const std::size_t after_name = stat.rfind(')');  // "pid (name) state ppid …"
  if (after_name == std::string::npos || stat.size() < after_name + 5) return 0;
  return std::atol(stat.c_str() + after_name + 4) == peer.pid ? backend_pid : 0;
}

class AbandonedSocket final : public AbandonedSession {
 public:
  AbandonedSocket(std::shared_ptr<const SessionSocket> socket, const Clock& clock)
      : socket_(std::move(socket)), clock_(clock), since_(clock.now()) {}

  bool gone() override {
    const Instant now = clock_.now();
    const std::optional<bool> closed = socket_->closed();
    if (!closed) return now - since_ > kUntraceable;
    if (!*closed || !socket_->given_up()) return *closed;
    if (!given_up_at_) given_up_at_ = now;
    return now - *given_up_at_ > Seconds(kServerNotices);
  }

 private:
  std::shared_ptr<const SessionSocket> socket_;
  const Clock& clock_;
  Instant since_;
  std::optional<Instant> given_up_at_;  ///< when that was first seen
};

std::optional<tcp_info> tcp_info_of(int descriptor) {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return std::nullopt;
  return info;
}

}  // namespace

SessionSocket::SessionSocket(int original, int backend_pid)
    : descriptor_(second_descriptor(original)), backend_(visible_backend(original, backend_pid)) {}

SessionSocket::~SessionSocket() {
  ::close(descriptor_);
}

void SessionSocket::shut_down() {
  cut_ = true;
  ::shutdown(descriptor_, SHUT_RDWR);
}

bool SessionSocket::quiet() const {
  pollfd watched{descriptor_, POLLIN | POLLRDHUP, 0};
  return !cut_ && ::poll(&watched, 1, 0) == 0;
}

std::optional<bool> SessionSocket::closed() const {
  if (const auto info = tcp_info_of(descriptor_)) return info->tcpi_state == TCP_CLOSE;
  if (backend_ > 0) return ::kill(backend_, 0) != 0 && errno == ESRCH;
  return std::nullopt;
}

bool SessionSocket::given_up() const {
  const auto info = tcp_info_of(descriptor_);
  // Linux keeps the number of what was sent again in vain. A server that closes a connection has
  // answered.
  return info && info->tcpi_state == TCP_CLOSE &&
         (info->tcpi_retransmits > 0 || info->tcpi_probes > 0);
}

std::unique_ptr<AbandonedSession> abandoned(std::shared_ptr<const SessionSocket> socket,
                                            const Clock& clock) {
  return std::make_unique<AbandonedSocket>(std::move(socket), clock);
}

void wait_until_gone(AbandonedSession& session) {
  // We must poll, because TCP's state tells and wakes nobody.
  while (!session.gone()) std::this_thread::sleep_for(kBetweenGone);
}

}  // namespace pg_integrity
