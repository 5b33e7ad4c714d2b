#include "exporter/config/options.h"

#include <algorithm>
#include <charconv>

namespace pg_integrity {

std::optional<ListenAddress> parse_listen(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() ||
      port > 65535)
    return std::nullopt;
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return std::nullopt;
  return ListenAddress{host.empty() ? "::" : std::string(host), static_cast<int>(port)};
}

std::vector<ListenAddress> parse_listen_list(std::string_view text) {
  std::vector<ListenAddress> addresses;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string_view one = text.substr(begin, end - begin);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    const auto address = parse_listen(one);
    if (!address) return {};
    addresses.push_back(*address);
    begin = end + 1;
  }
  return addresses;
}

}  // namespace pg_integrity
