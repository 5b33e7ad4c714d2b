#include "exporter/io/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "collectors/base/errors.h"
#include "collectors/base/url.h"
#include "exporter/io/http_exchange.h"

namespace pg_integrity {

namespace {

constexpr int kMaxRedirects = 3;
constexpr Seconds kGrace{1};  ///< for libcurl to end by itself before its worker is given up

void require_one_line(const HttpRequest& request) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  if (request.secret.empty() ||
      std::any_of(request.secret.begin(), request.secret.end(), is_control))
    throw SourceError(Reason::config,
                      request.name + ": its secret is not one line without control characters");
}

/// @return the secret, which is a whole header "Name: value".
/// @throws SourceError{config} if it is none.
std::string header_line(const HttpRequest& request) {
  constexpr std::string_view kNameLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  const std::size_t colon = request.secret.find(": ");
  const std::string name = request.secret.substr(0, colon);
  if (colon == std::string::npos || colon + 2 == request.secret.size() || name.empty() ||
      name.find_first_not_of(kNameLetters) != std::string::npos)
    throw SourceError(Reason::config, request.name + ": its secret is no header \"Name: value\"");
  return request.secret;
}

HttpSent sent_for(const HttpRequest& request) {
  HttpSent sent{request.name, request.url, request.timeout, request.max_body, request.ca_file};
  if (request.auth != HttpAuth::none) require_one_line(request);
  if (request.auth == HttpAuth::bearer)
    sent.headers.push_back("Authorization: Bearer " + request.secret);
  if (request.auth == HttpAuth::header) sent.headers.push_back(header_line(request));
  if (request.auth == HttpAuth::basic) sent.user_password = request.secret;
  return sent;
}

HttpResponse get_now(const HttpRequest& request, Seconds timeout) {
  const auto began = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return Seconds(std::chrono::steady_clock::now() - began); };
  HttpSent sent = sent_for(request);
  HttpConnection connection;
  for (int redirects = 0;; ++redirects) {
    sent.timeout = timeout - elapsed();
    HttpReceived received = connection.exchange(sent);
    if (received.leads_to.empty())
      return {received.status, std::move(received.body), received.complete, elapsed(),
              received.retry_after};
    if (redirects == kMaxRedirects)
      throw SourceError(Reason::http, request.name + ": too many redirects");
    const auto next = parse_url(received.leads_to.substr(0, received.leads_to.find('#')));
    if (!next || next->origin() != request.url.origin())
      throw SourceError(Reason::http,
                        fmt::format("{}: a redirect to another origin is not followed. HINT:"
                                    " configure the URL that it leads to",
                                    request.name));
    sent.url = *next;
  }
}

}  // namespace

HttpResponse WorkerHttp::get(const HttpRequest& request) {
  const Instant now = clock_.now();
  const Seconds left = deadline_ - now;
  const SourceError too_late(Reason::limit,
                             request.name + ": the step has no time left. HINT: raise `deadline`");
  if (left.count() <= 0) throw SourceError(too_late);
  const Seconds timeout = std::min(request.timeout, left);
  try {
    return workers_.run<HttpResponse>(fmt::format("{} at {}", request.name, request.url.origin()),
                                      now + timeout + kGrace,
                                      [request, timeout] { return get_now(request, timeout); });
  } catch (const SourceError& error) {
    // The request got less time than its own time-out, so the endpoint cannot be blamed.
    if (error.reason() == Reason::timeout && left < request.timeout) throw SourceError(too_late);
    throw;
  }
}

}  // namespace pg_integrity
