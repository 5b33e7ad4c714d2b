// An http or https URL, taken apart. Strict: what two readers could take differently is no URL.
// Plain values; safe on any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pg_integrity {

struct Url {
  std::string scheme;  ///< "http" or "https"
  std::string host;    ///< in lower case; an IPv6 address in brackets
  int port = 0;
  std::string target;  ///< path and query; begins with "/"

  /// "https://host:port": what a secret may be sent to, and what messages name.
  [[nodiscard]] std::string origin() const {
    return scheme + "://" + host + ":" + std::to_string(port);
  }
  [[nodiscard]] std::string text() const { return origin() + target; }
  [[nodiscard]] bool loopback() const;
};

/// Nothing if the text is not an absolute http or https URL in printable ASCII, or holds
/// credentials or a fragment.
std::optional<Url> parse_url(std::string_view text);

}  // namespace pg_integrity
