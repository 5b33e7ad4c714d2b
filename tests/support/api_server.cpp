#include "tests/support/api_server.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <chrono>
#include <stdexcept>

#include "collectors/ports/session.h"
#include "exporter/commands/serve.h"
#include "tests/support/process.h"

namespace pg_integrity::test {

Certificate::Certificate() {
  const Finished made =
      run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
           "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
           "-keyout", key, "-out", certificate});
  if (made.status != 0) throw std::runtime_error("openssl: " + made.err);
}

struct ApiServer::Impl {
  std::unique_ptr<httplib::Server> server;
};

ApiServer::ApiServer(Answer answer, const Certificate* certificate)
    : impl_(std::make_unique<Impl>()), scheme_(certificate == nullptr ? "http" : "https") {
  if (certificate == nullptr)
    impl_->server = std::make_unique<httplib::Server>();
  else
    impl_->server = std::make_unique<httplib::SSLServer>(certificate->certificate.c_str(),
                                                         certificate->key.c_str());
  const auto serve = [this, answer = std::move(answer)](const httplib::Request& request,
                                                        httplib::Response& response) {
    ++asked_;
    ApiAsked asked{request.path, {}, request.body, request.method};
    for (const auto& [name, value] : request.headers) {
      std::string lower = name;
      for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      asked.headers[lower] = value;
    }
    {
      const std::lock_guard lock(mutex_);
      last_ = asked;
    }
    const ApiAnswer given = answer(asked);
    response.status = given.status;
    if (!given.location.empty()) response.set_header("Location", given.location);
    if (!given.retry_after.empty()) response.set_header("Retry-After", given.retry_after);
    response.set_content(given.body, "application/json");
  };
  impl_->server->Get(".*", serve);
  impl_->server->Post(".*", serve);
  impl_->server->Put(".*", serve);
  impl_->server->set_keep_alive_max_count(1);
  port_ = impl_->server->bind_to_any_port("127.0.0.1");
  if (port_ <= 0) throw std::runtime_error("the API server finds no port");
  thread_ = std::thread([this] { impl_->server->listen_after_bind(); });
  while (!impl_->server->is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

ApiServer::~ApiServer() {
  impl_->server->stop();
  thread_.join();
}

ApiAsked ApiServer::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

std::string ApiServer::url(const std::string& path) const {
  return scheme_ + "://127.0.0.1:" + std::to_string(port_) + path;
}

RawServer::RawServer(std::function<void(const Send&)> talk)
    : talk_(std::move(talk)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw std::runtime_error("the raw server finds no port");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

RawServer::~RawServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

void RawServer::serve() {
  while (!stopping_) {
    const int peer = ::accept(listener_, nullptr, nullptr);
    if (peer < 0) continue;
    std::array<char, 4096> request{};
    (void)::recv(peer, request.data(), request.size(), 0);
    talk_([&](const std::string& bytes) {
      pollfd closed{peer, POLLRDHUP, 0};
      if (stopping_ || ::poll(&closed, 1, 0) > 0) return false;
      std::size_t sent = 0;
      while (sent < bytes.size()) {
        const auto count = ::send(peer, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) return false;
        sent += static_cast<std::size_t>(count);
      }
      return true;
    });
    ::close(peer);
  }
}

}  // namespace pg_integrity::test
