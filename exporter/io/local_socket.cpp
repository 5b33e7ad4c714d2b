#include "exporter/io/local_socket.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "collectors/base/errors.h"

namespace pg_integrity {

namespace {

[[noreturn]] void fail(const std::string& path, int error) {
  const Reason reason = error == EACCES || error == EPERM          ? Reason::permission
                        : error == ECONNREFUSED || error == ENOENT ? Reason::connect
                        : error == EAGAIN || error == ETIMEDOUT    ? Reason::timeout
                                                                   : Reason::io;
  throw SourceError(reason, fmt::format("{}: {}", path, std::generic_category().message(error)));
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) fail(path, ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Descriptor new_socket(const std::string& path) {
  Descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!made.open()) fail(path, errno);
  const timeval patience{static_cast<time_t>(kLocalPatience.count()), 0};
  ::setsockopt(made.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(made.number(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  return made;
}

template <typename Call>
int call_with(const sockaddr_un& address, const Descriptor& socket, Call call) {
  return call(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0
             ? 0
             : errno;
}

Descriptor listening_at(const std::string& path) {
  const sockaddr_un address = address_of(path);
  if (call_with(address, new_socket(path), ::connect) == 0) fail(path, EADDRINUSE);
  ::unlink(path.c_str());
  Descriptor made = new_socket(path);
  if (const int error = call_with(address, made, ::bind)) fail(path, error);
  if (::chmod(path.c_str(), 0600) != 0 || ::listen(made.number(), 4) != 0) fail(path, errno);
  return made;
}

/// Who calls, as the kernel knows it.
bool may_talk(const Descriptor& client) {
  ucred caller{};
  socklen_t size = sizeof caller;
  if (::getsockopt(client.number(), SOL_SOCKET, SO_PEERCRED, &caller, &size) != 0) return false;
  return caller.uid == 0 || caller.uid == ::geteuid();
}

/// Reads until the other side has said everything.
/// @return 0, or the error.
int receive(const Descriptor& from, std::string& text) {
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t got = ::recv(from.number(), part.data(), part.size(), 0);
    if (got == 0) return 0;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (text.size() + static_cast<std::size_t>(got) > kLongestLocalText) return EMSGSIZE;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
}

/// Sends everything, and says that this is all.
/// @return 0, or the error.
int send_all(const Descriptor& to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(to.number(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return ::shutdown(to.number(), SHUT_WR) == 0 ? 0 : errno;
}

}  // namespace

LocalListener::LocalListener(std::string path,
                             std::function<std::string(const std::string&)> answer)
    : path_(std::move(path)),
      answer_(std::move(answer)),
      socket_(listening_at(path_)),
      end_(::eventfd(0, EFD_CLOEXEC)) {
  if (!end_.open()) fail(path_, errno);
  thread_ = std::thread([this] { listen(); });
}

LocalListener::~LocalListener() {
  ::eventfd_write(end_.number(), 1);
  thread_.join();
  ::unlink(path_.c_str());
}

void LocalListener::listen() {
  std::array<pollfd, 2> waits{{{socket_.number(), POLLIN, 0}, {end_.number(), POLLIN, 0}}};
  for (;;) {
    if (::poll(waits.data(), waits.size(), -1) < 0) continue;
    if (waits[1].revents != 0) return;
    const Descriptor client(::accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client.open() && may_talk(client)) serve(client);
  }
}

void LocalListener::serve(const Descriptor& client) const {
  const timeval patience{static_cast<time_t>(kLocalPatience.count()), 0};
  ::setsockopt(client.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(client.number(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  std::string request;
  if (receive(client, request) == 0) send_all(client, answer_(request));
}

std::string ask_locally(const std::string& path, const std::string& text) {
  const Descriptor socket = new_socket(path);
  if (const int error = call_with(address_of(path), socket, ::connect)) fail(path, error);
  std::string answer;
  if (const int error = send_all(socket, text)) fail(path, error);
  if (const int error = receive(socket, answer)) fail(path, error);
  return answer;
}

}  // namespace pg_integrity
