#include "tests/support/wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace pg_integrity::test {

namespace {

constexpr time_t kSocketPatience = 30;  // seconds; generous, because tests never measure time

}  // namespace

Wire::Wire(int port) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval patience{kSocketPatience, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(descriptor_);
    throw std::runtime_error("nobody listens on port " + std::to_string(port));
  }
}

Wire::~Wire() {
  ::close(descriptor_);
}

void Wire::reset() const {
  const linger now{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(descriptor_);
  descriptor_ = -1;
}

void Wire::send(const std::string& bytes) const {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count =
        ::send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) throw std::runtime_error("the connection takes no more");
    sent += static_cast<std::size_t>(count);
  }
}

std::string Wire::some() const {
  std::array<char, 1 << 16> buffer{};
  const ssize_t count = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
  if (count < 0)
    throw std::runtime_error("the connection brings nothing: " +
                             std::generic_category().message(errno));
  return {buffer.data(), static_cast<std::size_t>(count)};
}

std::string Wire::rest() const {
  std::string all;
  for (std::string piece = some(); !piece.empty(); piece = some()) all += piece;
  return all;
}

const std::string& HttpAnswer::header(const std::string& name) const {
  const auto found = headers.find(name);
  if (found == headers.end()) throw std::runtime_error("no header " + name);
  return found->second;
}

HttpAnswer parse_answer(const std::string& bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (!bytes.starts_with("HTTP/1.1 ") || end == std::string::npos)
    throw std::runtime_error("no HTTP answer: " + bytes.substr(0, 200));
  HttpAnswer answer;
  answer.status = std::stoi(bytes.substr(9, 3));
  answer.body = bytes.substr(end + 4);
  std::istringstream lines(bytes.substr(0, end));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    if (line.ends_with('\r')) line.pop_back();
    const std::size_t colon = line.find(": ");
    std::string name = line.substr(0, colon);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    answer.headers.emplace(name, line.substr(colon + 2));
  }
  return answer;
}

HttpAnswer fetch(int port, const std::string& path, const std::string& headers,
                 const std::string& method) {
  const Wire wire(port);
  wire.send(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
            headers + "\r\n");
  return parse_answer(wire.rest());
}

}  // namespace pg_integrity::test
