// The HTTP server, on cpp-httplib. It has a handful of exact routes, reads nothing from disk, and
// bounds every phase of a connection. Handlers run on its threads and must be safe there.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "exporter/config/options.h"
#include "exporter/metrics/page.h"

namespace pg_integrity {

struct HttpHandlers {
  std::function<Page(bool gzip)> metrics;
  std::function<std::string()> report_html;
  std::string report_policy;  ///< Content-Security-Policy of report_html
  std::function<std::string()> report_markdown;
  std::function<std::string()> report_json;
  std::function<bool()> ready;
  std::function<bool()> reload;  ///< POST /-/reload; empty: not offered. @return it succeeded
};

class HttpServer {
 public:
  /// @param lost runs on the server's thread if the server ends although nobody called stop().
  HttpServer(HttpHandlers handlers, std::function<void()> lost);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Binds the address and serves on threads of its own.
  /// @return the port.
  /// @throws std::runtime_error if the address cannot be bound. Its text is one line.
  int start(const ListenAddress& address);
  void stop();
  /// Connections that a thread is busy with or that wait for one.
  [[nodiscard]] std::size_t connections() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// True if an Accept-Encoding header allows gzip with a quality above 0.
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace pg_integrity
