// HTTP requests, as a collector may make them. One thread at a time uses an object.
#pragma once

#include <cstdint>
#include <string>

#include "collectors/base/instant.h"
#include "collectors/base/url.h"

namespace pg_integrity {

/// How a request authenticates.
enum class HttpAuth : std::uint8_t {
  none,
  bearer,  ///< the secret is a token
  basic,   ///< the secret is "user:password"
  header,  ///< the secret is a whole header: "Name: value"
};

struct HttpRequest {
  std::string name;  ///< the name of the request, for messages
  Url url;
  Seconds timeout{};         ///< for everything: name, connection, redirects, the last byte
  std::size_t max_body = 0;  ///< bytes; the rest of a larger body is not read
  std::string ca_file;       ///< certificates to trust; empty: those of the system
  HttpAuth auth = HttpAuth::none;
  std::string secret;  ///< never logged, never in a message
};

/// The answer of another program. Its body and headers are not trusted, and go into no label, log
/// or page.
struct HttpResponse {
  int status = 0;
  std::string body;
  bool complete = true;   ///< the body is not larger than `max_body`
  Seconds took{};         ///< from the first step to the last byte
  Seconds retry_after{};  ///< how long it asks to be left alone (Retry-After); 0: it does not
};

/// HTTP requests that change nothing. Each runs on a worker thread that is abandoned if it hangs.
/// TLS certificates are verified. A few redirects are followed, within the URL's origin only.
class Http {
 public:
  virtual ~Http() = default;
  Http() = default;
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  /// Makes a GET request. Every answer is returned, whatever its status.
  /// @throws SourceError: connect, tls, timeout, protocol, http (redirects), config if the request
  /// is not valid, limit if we lack resources or the step's time is over.
  virtual HttpResponse get(const HttpRequest& request) = 0;
};

}  // namespace pg_integrity
