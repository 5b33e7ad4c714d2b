#include "exporter/http/reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

namespace pg_integrity {

namespace {

std::string_view name_of_status(int status) {
  static const std::map<int, std::string_view> names{{400, "Bad Request"},
                                                     {401, "Unauthorized"},
                                                     {408, "Request Timeout"},
                                                     {417, "Expectation Failed"},
                                                     {421, "Misdirected Request"},
                                                     {429, "Too Many Requests"},
                                                     {431, "Request Header Fields Too Large"},
                                                     {500, "Internal Server Error"},
                                                     {503, "Service Unavailable"}};
  const auto found = names.find(status);
  return found == names.end() ? "Error" : found->second;
}

bool has_header(std::string_view head, const std::string& name) {
  const std::string line = "\r\n" + name + ":";
  return std::search(head.begin(), head.end(), line.begin(), line.end(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) ==
                  std::tolower(static_cast<unsigned char>(b));
         }) != head.end();
}

}  // namespace

Reply short_reply(int status, std::string_view text, bool close, const HeaderLines& headers) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, name_of_status(status));
  head += fmt::format("Content-Length: {}\r\nContent-Type: text/plain; charset=utf-8\r\n",
                      text.size() + 1);
  for (const auto& [name, value] : headers) head += fmt::format("{}: {}\r\n", name, value);
  if (close) head += "Connection: close\r\n";
  Reply reply;
  reply.close = close;
  reply.pieces.push_back({fmt::format("{}\r\n{}\n", head, text), nullptr, {}});
  return reply;
}

void add_headers(Reply& reply, const HeaderLines& headers) {
  if (reply.pieces.empty() || reply.pieces.front().owner) return;
  std::string& first = reply.pieces.front().text;
  const std::size_t status_end = first.find("\r\n");
  if (status_end == std::string::npos) return;
  const std::string head = first.substr(0, first.find("\r\n\r\n") + 2);
  std::string lines;
  for (const auto& [name, value] : headers)
    if (!has_header(head, name)) lines += fmt::format("{}: {}\r\n", name, value);
  first.insert(status_end + 2, lines);
}

}  // namespace pg_integrity
