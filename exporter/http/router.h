// Routes and answers requests with cpp-httplib, which gets a checked head as text and gives the
// answer as bytes. It never sees a socket. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "exporter/http/handlers.h"
#include "exporter/http/reply.h"
#include "exporter/http/request_head.h"

namespace pg_integrity {

class Router {
 public:
  /// A router for what is answered at once leaves reports and reloads to a router for the rest.
  enum class Part : std::uint8_t { at_once, at_length };

  /// @param handlers must outlive the router.
  Router(const HttpHandlers& handlers, Part part);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// @return nothing if the router for the other part has to answer.
  std::optional<Reply> answer(const RequestHead& head);
  /// Forgets pages and reports that were kept for further clients.
  void forget();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pg_integrity
