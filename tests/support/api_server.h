// HTTP servers for tests, on free ports of 127.0.0.1. ApiServer speaks correct HTTP, with or
// without TLS. RawServer sends any bytes that a test wants.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "exporter/commands/serve.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test {

struct ApiAsked {
  std::string path;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body = {};
  std::string method = "GET";
};

struct ApiAnswer {
  int status = 200;
  std::string body = {};
  std::string location = {};  ///< the target of a redirect
  std::string retry_after = {};
};

/// A new self-signed certificate for 127.0.0.1.
struct Certificate {
  Certificate();
  TemporaryDirectory directory;
  std::string certificate = directory.path() + "/certificate.pem";
  std::string key = directory.path() + "/key.pem";
};

class ApiServer {
 public:
  using Answer = std::function<ApiAnswer(const ApiAsked&)>;

  /// @param answer is called on threads of the server.
  explicit ApiServer(Answer answer, const Certificate* certificate = nullptr);
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url(const std::string& path = "/") const;
  /// The number of requests so far.
  [[nodiscard]] int asked() const { return asked_; }
  /// The newest request.
  [[nodiscard]] ApiAsked last() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  int port_ = 0;
  std::atomic<int> asked_ = 0;
  mutable std::mutex mutex_;
  ApiAsked last_;
  std::string scheme_;
  std::thread thread_;
};

class RawServer {
 public:
  /// Sends bytes. Returns false once the client has closed the connection or the server stops.
  using Send = std::function<bool(const std::string&)>;

  /// @param talk is called for each connection, after its request has come. The connection is
  /// closed when `talk` returns.
  explicit RawServer(std::function<void(const Send&)> talk);
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  [[nodiscard]] std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

 private:
  void serve();

  const std::function<void(const Send&)> talk_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace pg_integrity::test
