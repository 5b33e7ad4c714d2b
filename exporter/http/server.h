// The HTTP server. A loop owns the sockets, desks make the answers, and cpp-httplib routes them.
// It reads nothing from disk, and bounds every phase of a connection.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "exporter/config/web_config.h"
#include "exporter/http/handlers.h"
#include "exporter/http/listening.h"

namespace pg_integrity {

class HttpServer {
 public:
  /// @param allowed_hosts globs over names by which clients may call this server, beside localhost.
  /// @param lost runs on the server's thread if the server ends although nobody called stop().
  HttpServer(HttpHandlers handlers, std::vector<std::string> allowed_hosts,
             std::function<void()> lost);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Asks for TLS, passwords and headers as this configuration says, from the next connection and
  /// the next request on. What was asked for before cannot be taken back.
  /// @throws std::runtime_error if it cannot be used. Then nothing changes. Its text is one line.
  void use(const WebConfig& config);
  /// When the certificate in force is over. Nothing without TLS.
  [[nodiscard]] std::optional<UnixTime> certificate_expires() const;
  /// Serves on these sockets, on threads of its own. Call it once.
  /// @return the URLs.
  /// @throws std::exception if there is no memory or no thread for it.
  std::vector<std::string> start(std::vector<ListeningSocket> sockets);
  void stop();
  /// Connections that are open.
  [[nodiscard]] std::size_t connections() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pg_integrity
