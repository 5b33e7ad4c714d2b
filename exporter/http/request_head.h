// The head of a request, checked before cpp-httplib sees it. cpp-httplib takes almost anything for
// a head, so whatever could be understood in two ways is refused here. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pg_integrity {

/// The longest head of a request, in bytes.
inline constexpr std::size_t kLongestHead = 8192;

struct RequestHead {
  std::string method;
  std::string target;           ///< path and query, as they were sent
  std::string host;             ///< value of Host; empty: an HTTP/1.0 request without one
  std::string accept_encoding;  ///< empty: not sent
  std::string authorization;    ///< empty: not sent
  bool close = false;           ///< the connection ends with the answer
  bool has_body = false;        ///< it announces a body, which is never read
};

/// Why a request is refused. The connection ends with that answer.
struct HeadFault {
  int status = 400;
  std::string_view text;
};

/// @param head all bytes of the head, with the empty line that ends it.
std::variant<RequestHead, HeadFault> read_head(std::string_view head);

/// The path of a target, without the query.
std::string_view path_of(const RequestHead& head);

/// The head that cpp-httplib gets: only what was understood, and only once. So it finds no body, no
/// ranges and no expectation.
std::string plain_head(const RequestHead& head);

/// True if a web page of somebody else could send this request with a name of its own that leads to
/// our address (DNS rebinding). An address, localhost and a name that matches one of the globs are
/// safe, and so is a request without a name.
bool may_be_rebound(std::string_view host, const std::vector<std::string>& allowed);

/// True if an Accept-Encoding header allows gzip with a quality above 0.
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace pg_integrity
