#include "collectors/base/url.h"

#include <algorithm>
#include <charconv>

namespace pg_integrity {

namespace {

constexpr std::string_view kHostLetters = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
constexpr std::string_view kAddressLetters = "abcdef0123456789:.";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool consists_of(std::string_view text, std::string_view letters) {
  return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

bool is_host(std::string_view host) {
  if (!host.starts_with('[')) return consists_of(host, kHostLetters);
  return host.size() > 2 && host.ends_with(']') &&
         consists_of(host.substr(1, host.size() - 2), kAddressLetters);
}

bool is_target(std::string_view target) {
  return std::all_of(target.begin(), target.end(),
                     [](char c) { return c > ' ' && c < '\x7f' && c != '#' && c != '\\'; });
}

/// The port; 0 if the text is none.
int port_of(std::string_view text) {
  unsigned port = 0;  // unsigned, so that from_chars accepts no minus sign
  const auto [end, error] = std::from_chars(text.begin(), text.end(), port);
  return error == std::errc{} && end == text.end() && port <= 65535 ? static_cast<int>(port) : 0;
}

/// "127." and three more numbers. This must be an address and not a name, because the owner of a
/// domain chooses its names freely.
bool is_loopback_address(std::string_view host) {
  if (!host.starts_with("127.")) return false;
  int parts = 0;
  for (bool more = true; more; ++parts) {
    const std::size_t dot = host.find('.');
    const std::string_view part = host.substr(0, dot);
    unsigned number = 256;
    const auto [end, error] = std::from_chars(part.begin(), part.end(), number);
    const bool octal = part.size() > 1 && part.front() == '0';
    if (error != std::errc{} || end != part.end() || number > 255 || octal) return false;
    more = dot != std::string_view::npos;
    if (more) host.remove_prefix(dot + 1);
  }
  return parts == 4;
}

}  // namespace

bool Url::loopback() const {
  return host == "localhost" || host == "[::1]" || is_loopback_address(host);
}

std::optional<Url> parse_url(std::string_view text) {
  Url url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  url.scheme = lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") return std::nullopt;
  text.remove_prefix(colon + 3);
  const std::string authority = lower(text.substr(0, text.find_first_of("/?#\\")));
  text.remove_prefix(authority.size());
  const std::size_t before_port = authority.rfind(':');
  const bool has_port =
      before_port != std::string::npos && authority.find(']', before_port) == std::string::npos;
  url.host = has_port ? authority.substr(0, before_port) : authority;
  url.port = has_port ? port_of(std::string_view(authority).substr(before_port + 1))
                      : (url.scheme == "https" ? 443 : 80);
  url.target = text.starts_with('/') ? std::string(text) : "/" + std::string(text);
  if (!is_host(url.host) || url.port == 0 || !is_target(url.target)) return std::nullopt;
  return url;
}

}  // namespace pg_integrity
