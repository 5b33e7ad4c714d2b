// An http or https URL, taken apart. The parser is strict: a text that two programs could read
// differently is rejected. Plain values; safe on any thread.
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

  /// "https://host:port". A secret may be sent to this origin only, and messages name it.
  [[nodiscard]] std::string origin() const {
    return scheme + "://" + host + ":" + std::to_string(port);
  }
  [[nodiscard]] std::string text() const { return origin() + target; }
  [[nodiscard]] bool loopback() const;
};

/// Parses an absolute http or https URL in printable ASCII. Empty for any other text, and for a URL
/// that holds credentials or a fragment.
std::optional<Url> parse_url(std::string_view text);

}  // namespace pg_integrity
