// HTTP requests, as a collector may make them. One thread at a time uses an object.
#pragma once

#include <cstdint>
#include <string>

#include "collectors/base/instant.h"
#include "collectors/base/url.h"

namespace pg_integrity {

/// How a request says who asks.
enum class HttpAuth : std::uint8_t {
  none,
  bearer,  ///< the secret is a token
  basic,   ///< the secret is "user:password"
  header,  ///< the secret is a whole header: "Name: value"
};

struct HttpRequest {
  std::string name;  ///< whose request it is, for messages
  Url url;
  Seconds timeout{};         ///< of everything: name, connection, redirects, the last byte
  std::size_t max_body = 0;  ///< bytes; what goes beyond is not read
  std::string ca_file;       ///< certificates to trust; empty: those of the system
  HttpAuth auth = HttpAuth::none;
  std::string secret;  ///< never logged, never in a message
};

/// Body and headers are somebody else's: they go into no label, log or page.
struct HttpResponse {
  int status = 0;
  std::string body;
  bool complete = true;  ///< the body is not larger than `max_body`
  Seconds took{};        ///< from the first step to the last byte
};

/// HTTP requests that change nothing, made on a worker thread that is given up if it hangs. TLS
/// certificates are verified; a few redirects are followed, within the URL's origin only.
class Http {
 public:
  virtual ~Http() = default;
  Http() = default;
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  /// GET. An answer is an answer, whatever its status.
  /// @throws SourceError: connect, tls, timeout, protocol, http (redirects); config if the request
  /// cannot be made as it is; limit if we lack means, or the step's time is over.
  virtual HttpResponse get(const HttpRequest& request) = 0;
};

}  // namespace pg_integrity
