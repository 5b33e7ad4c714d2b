// One HTTP exchange by libcurl, for those that make requests: collectors' HTTP requests and object
// storages. TLS certificates are verified, redirects are reported and not followed, the
// environment's proxy is not used, and everything received is bounded.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/url.h"

namespace pg_integrity {

/// A signature of version 4 as AWS defines it, over the method, the URL, all headers and the
/// body's digest. libcurl 7.88 takes the query as it is: it must be sorted and encoded already.
struct Aws4Signature {
  std::string region;
  std::string service;
  std::string key_id;
  std::string secret;
};

/// What is sent.
struct HttpSent {
  std::string name;  ///< for messages
  Url url;
  Seconds timeout{};                   ///< for everything: name, connection, the last byte
  std::size_t max_body = 0;            ///< bytes; the rest of a larger body is not read
  std::string ca_file;                 ///< certificates to trust; empty: those of the system
  std::vector<std::string> headers{};  ///< "Name: value"
  std::optional<std::string> user_password{};  ///< for Basic authentication: "user:password"
  std::optional<Aws4Signature> signature{};
  std::string method = "GET";
  std::optional<std::string> body{};          ///< sent as it is; with POST or PUT
  std::vector<std::string> wanted_headers{};  ///< names in lower case
};

/// What was received. Nothing of it is trusted.
struct HttpReceived {
  int status = 0;
  std::string body;
  bool complete = true;                          ///< the body is not larger than `max_body`
  Seconds retry_after{};                         ///< 0: the answer says nothing of it
  std::string leads_to;                          ///< the target of a redirect; empty if it is none
  std::map<std::string, std::string> headers{};  ///< the wanted ones that came
  std::optional<UnixTime> date{};                ///< by the server's clock, if it says so
};

/// Keeps the connection to a server open between exchanges. One thread at a time.
class HttpConnection {
 public:
  /// @throws SourceError{limit}
  HttpConnection();
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  /// Blocks for at most the time-out, unless libcurl hangs.
  /// @throws SourceError: connect, tls, timeout, protocol, config, limit. Messages hold nothing
  /// that was sent or received.
  HttpReceived exchange(const HttpSent& sent);
  /// Bytes of headers and body that were received since the last call, also if the exchange failed
  /// or has not ended. Safe on any thread.
  [[nodiscard]] std::size_t take_received_bytes() { return received_bytes_.exchange(0); }

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
  std::atomic<std::size_t> received_bytes_ = 0;
};

}  // namespace pg_integrity
