#include "exporter/http/listening.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace pg_integrity {

namespace {

constexpr int kBacklog = 4096;
constexpr int kDeferAccept = 2;  // seconds that the kernel keeps a silent connection to itself
constexpr int kFirstHandedOver = 3;
constexpr int kProbePatience = 5;  // seconds

using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

std::string written(const std::string& host, int port) {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

[[noreturn]] void refuse_to_listen(const ListenAddress& address, const std::string& reason) {
  throw std::runtime_error(
      fmt::format("cannot listen on {}: {}. HINT: stop what listens there, or choose another"
                  " address with --listen or `listen`",
                  written(address.host, address.port), reason));
}

Addresses addresses_of(const ListenAddress& address) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &wanted, &found);
  if (error != 0) refuse_to_listen(address, "no such address");
  return {found, ::freeaddrinfo};
}

void set_option(const Descriptor& socket, int level, int option, int value) {
  ::setsockopt(socket.number(), level, option, &value, sizeof value);
}

/// @return 0, or the error.
int listen_at(const addrinfo& at, Descriptor& socket) {
  Descriptor made(::socket(at.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made.open()) return errno;
  // Without SO_REUSEPORT no second process can share the port unnoticed.
  set_option(made, SOL_SOCKET, SO_REUSEADDR, 1);
  if (at.ai_family == AF_INET6) set_option(made, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  set_option(made, IPPROTO_TCP, TCP_DEFER_ACCEPT, kDeferAccept);
  if (::bind(made.number(), at.ai_addr, at.ai_addrlen) != 0) return errno;
  if (::listen(made.number(), kBacklog) != 0) return errno;
  socket = std::move(made);
  return 0;
}

/// The port of a TCP socket. 0 for others.
int port_of(const Descriptor& socket, std::string* host = nullptr) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  std::array<char, NI_MAXHOST> name{};
  if (host != nullptr && ::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, name.data(),
                                       name.size(), nullptr, 0, NI_NUMERICHOST) == 0)
    *host = name.data();
  if (address.ss_family == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  return 0;
}

struct LocalAddress {
  sockaddr_un address{};
  socklen_t size = 0;
};

LocalAddress probe_address(int port) {
  const std::string name = probe_socket_name(port);
  LocalAddress local;
  local.address.sun_family = AF_UNIX;
  std::memcpy(local.address.sun_path + 1, name.data(), name.size());
  local.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return local;
}

}  // namespace

ListeningSocket listen_on(const ListenAddress& address) {
  const Addresses addresses = addresses_of(address);
  int error = 0;
  for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) {
    ListeningSocket made;
    error = listen_at(*at, made.socket);
    if (error != 0) continue;
    made.host = address.host;
    made.port = port_of(made.socket);
    return made;
  }
  // "Every address" is also meant where there is no IPv6.
  if (address.host == "::" && (error == EAFNOSUPPORT || error == EADDRNOTAVAIL))
    return listen_on({"0.0.0.0", address.port});
  refuse_to_listen(address, std::generic_category().message(error));
}

std::vector<ListeningSocket> handed_over_by_systemd() {
  const char* process = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  std::vector<ListeningSocket> sockets;
  if (process != nullptr && count != nullptr && std::atol(process) == ::getpid())
    for (int number = kFirstHandedOver; number < kFirstHandedOver + std::atoi(count); ++number) {
      ListeningSocket made;
      made.socket = Descriptor(::fcntl(number, F_DUPFD_CLOEXEC, kFirstHandedOver));
      ::fcntl(made.socket.number(), F_SETFL, O_NONBLOCK);
      made.port = port_of(made.socket, &made.host);
      sockets.push_back(std::move(made));
    }
  if (sockets.empty())
    throw std::runtime_error(
        "systemd has handed over no socket. HINT: start it by a .socket unit, or leave out"
        " --web.systemd-socket");
  return sockets;
}

std::string probe_socket_name(int port) {
  return fmt::format("pg_integrity_exporter/{}", port);
}

ListeningSocket listen_for_probes(int port) {
  ListeningSocket made;
  made.probe = true;
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const LocalAddress local = probe_address(port);
  if (socket.open() &&
      ::bind(socket.number(), reinterpret_cast<const sockaddr*>(&local.address), local.size) == 0 &&
      ::listen(socket.number(), kBacklog) == 0)
    made.socket = std::move(socket);
  return made;
}

int probe(int port, const std::string& path) {
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{kProbePatience, 0};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const LocalAddress local = probe_address(port);
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&local.address), local.size) !=
      0)
    return 0;
  const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
  if (::send(socket.number(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    return 0;
  std::array<char, 16> answer{};
  const ssize_t got = ::recv(socket.number(), answer.data(), answer.size() - 1, MSG_WAITALL);
  const std::string_view begin = "HTTP/1.1 ";
  if (got < 12 || std::string_view(answer.data()).substr(0, begin.size()) != begin) return 0;
  return std::atoi(answer.data() + begin.size());
}

}  // namespace pg_integrity
