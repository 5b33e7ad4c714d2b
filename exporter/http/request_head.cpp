#include "exporter/http/request_head.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <optional>

#include "collectors/base/glob.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMostHeaders = 100;

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || kMarks.find(c) != kMarks.npos;
  });
}

/// Visible characters, spaces and tabs, and bytes above ASCII.
bool is_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

std::string lower(std::string_view text) {
  std::string small(text);
  for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return small;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Takes a part of the text up to the mark, and the mark.
std::string_view take_until(std::string_view& text, std::string_view mark) {
  const std::size_t end = std::min(text.find(mark), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(text.size(), end + mark.size()));
  return part;
}

/// A host name, an address or an address in brackets, and a port behind a colon or none.
bool is_host(std::string_view host) {
  if (host.empty()) return true;  // a client that knows no name sends an empty one
  const std::size_t colon =
      host.front() == '[' ? host.find(':', std::min(host.find(']'), host.size())) : host.find(':');
  const std::string_view port = colon == host.npos ? "" : host.substr(colon + 1);
  const std::string_view name = host.substr(0, colon);
  const auto all = [](std::string_view text, std::string_view marks, auto kind) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
      return kind(static_cast<unsigned char>(c)) != 0 || marks.find(c) != marks.npos;
    });
  };
  if (!all(port, "", [](int c) { return std::isdigit(c); }) || port.size() > 5) return false;
  if (name.starts_with('['))
    return name.ends_with(']') &&
           all(name.substr(1, name.size() - 2), ":.", [](int c) { return std::isxdigit(c); });
  return all(name, "-._", [](int c) { return std::isalnum(c); });
}

class HeadReader {
 public:
  std::variant<RequestHead, HeadFault> read(std::string_view text) {
    if (const auto fault = read_all(text)) return *fault;
    return std::move(head_);
  }

 private:
  using Fault = std::optional<HeadFault>;

  Fault read_all(std::string_view text) {
    if (const auto fault = read_request_line(take_until(text, "\r\n"))) return fault;
    for (std::size_t count = 0; !text.empty(); ++count) {
      const std::string_view line = take_until(text, "\r\n");
      if (line.empty()) break;
      if (count == kMostHeaders) return HeadFault{431, "the request has too many headers"};
      if (const auto fault = read_header(line)) return fault;
    }
    return check_whole();
  }

  Fault read_request_line(std::string_view line) {
    const std::string_view method = take_until(line, " ");
    const std::string_view target = take_until(line, " ");
    if (!is_token(method) || target.empty() || !is_value(target) || !is_value(line) ||
        target.find('\t') != target.npos || !line.starts_with("HTTP/"))
      return HeadFault{400, "the request line cannot be understood"};
    if (line != "HTTP/1.1" && line != "HTTP/1.0")
      return HeadFault{400, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
    if (target.front() != '/' && target != "*")
      return HeadFault{400, "the target of the request is no path"};
    head_.method = method;
    head_.target = target;
    old_ = line == "HTTP/1.0";
    head_.close = old_;
    return std::nullopt;
  }

  Fault read_header(std::string_view line) {
    if (line.front() == ' ' || line.front() == '\t')
      return HeadFault{400, "a header may not go on in a second line"};
    const std::size_t colon = line.find(':');
    if (colon == line.npos || !is_token(line.substr(0, colon)) || !is_value(line))
      return HeadFault{400, "a header cannot be understood"};
    return take(lower(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }

  Fault take(const std::string& name, std::string_view value) {
    if (name == "host") return take_once(hosts_, head_.host, value, "there are two Host headers");
    if (name == "content-length")
      return take_once(lengths_, length_, value, "there are two Content-Length headers");
    if (name == "authorization")
      return take_once(authorizations_, head_.authorization, value,
                       "there are two Authorization headers");
    if (name == "transfer-encoding") transfer_encoding_ = true;
    if (name == "expect") return HeadFault{417, "nothing can be expected of this server"};
    if (name == "accept-encoding") {
      if (!head_.accept_encoding.empty()) head_.accept_encoding += ',';
      head_.accept_encoding += value;
    }
    if (name == "connection") {
      std::string_view rest = value;
      while (!rest.empty())
        if (lower(trimmed(take_until(rest, ","))) == "close") head_.close = true;
    }
    return std::nullopt;
  }

  static Fault take_once(std::size_t& count, std::string& into, std::string_view value,
                         std::string_view twice) {
    if (++count > 1) return HeadFault{400, twice};
    into = value;
    return std::nullopt;
  }

  Fault check_whole() {
    if (hosts_ == 0 && !old_) return HeadFault{400, "the Host header is missing"};
    if (!is_host(head_.host)) return HeadFault{400, "the Host header names no host"};
    if (lengths_ > 0 && transfer_encoding_)
      return HeadFault{400, "Content-Length and Transfer-Encoding exclude each other"};
    const bool digits = std::all_of(length_.begin(), length_.end(),
                                    [](unsigned char c) { return std::isdigit(c) != 0; });
    if (lengths_ > 0 && (length_.empty() || length_.size() > 18 || !digits))
      return HeadFault{400, "the Content-Length is no length"};
    head_.has_body = transfer_encoding_ || length_.find_first_not_of('0') != length_.npos;
    if (head_.has_body && (head_.method == "GET" || head_.method == "HEAD"))
      return HeadFault{400, "a request for a page has no body"};
    head_.close = head_.close || head_.has_body;
    return std::nullopt;
  }

  RequestHead head_;
  std::string length_;
  std::size_t hosts_ = 0;
  std::size_t lengths_ = 0;
  std::size_t authorizations_ = 0;
  bool transfer_encoding_ = false;
  bool old_ = false;  ///< HTTP/1.0
};

}  // namespace

std::variant<RequestHead, HeadFault> read_head(std::string_view head) {
  return HeadReader().read(head);
}

std::string_view path_of(const RequestHead& head) {
  return std::string_view(head.target).substr(0, head.target.find('?'));
}

std::string plain_head(const RequestHead& head) {
  std::string text = head.method + " " + head.target + " HTTP/1.1\r\nHost: " + head.host + "\r\n";
  if (!head.accept_encoding.empty()) text += "Accept-Encoding: " + head.accept_encoding + "\r\n";
  if (head.method != "GET" && head.method != "HEAD") text += "Content-Length: 0\r\n";
  if (head.close) text += "Connection: close\r\n";
  return text + "\r\n";
}

bool may_be_rebound(std::string_view host, const std::vector<std::string>& allowed) {
  if (host.empty() || host.front() == '[') return false;
  std::string name = lower(host.substr(0, host.find(':')));
  if (name.ends_with('.')) name.pop_back();
  std::array<unsigned char, sizeof(in_addr)> address{};
  if (::inet_pton(AF_INET, name.c_str(), address.data()) == 1) return false;
  if (name == "localhost" || name.ends_with(".localhost")) return false;
  return std::none_of(allowed.begin(), allowed.end(), [&](const std::string& glob) {
    return matches_glob_in_any_case(glob, name);
  });
}

bool accepts_gzip(std::string_view accept_encoding) {
  bool any = false;
  while (!accept_encoding.empty()) {
    std::string item = lower(take_until(accept_encoding, ","));
    std::erase_if(item, [](char c) { return c == ' ' || c == '\t'; });
    const std::string coding = item.substr(0, item.find(';'));
    const std::size_t quality = item.find(";q=");
    const bool wanted = quality == std::string::npos || std::atof(item.c_str() + quality + 3) > 0;
    if (coding == "gzip" || coding == "x-gzip") return wanted;
    if (coding == "*") any = wanted;
  }
  return any;
}

}  // namespace pg_integrity
