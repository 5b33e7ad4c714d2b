// The server's side of TLS, with OpenSSL. Immutable once made. Safe on any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "exporter/config/web_config.h"

struct ssl_ctx_st;
struct ssl_st;

namespace pg_integrity {

class TlsContext {
 public:
  /// @throws std::runtime_error if the certificate, the key or a name cannot be used. Its text is
  /// one line with a hint.
  explicit TlsContext(const WebTls& options);

  /// The state of a new connection, which the caller frees.
  /// @return nullptr if there is no memory.
  [[nodiscard]] ssl_st* new_session() const;
  /// When the certificate is over.
  [[nodiscard]] UnixTime expires() const { return expires_; }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };

  void take_certificate(const WebTls& options);
  void take_clients(const WebTls& options);

  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::unique_ptr<const std::vector<std::string>> allowed_sans_;  ///< OpenSSL has its address
  UnixTime expires_ = 0;
};

}  // namespace pg_integrity
