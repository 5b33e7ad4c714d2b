// We use libcurl because the client of cpp-httplib matches the status line with a regular
// expression. A status line of 100 kB overflows its stack, so any endpoint could end this process.
#include "exporter/io/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "collectors/base/errors.h"
#include "collectors/base/url.h"

namespace pg_integrity {

namespace {

constexpr int kMaxRedirects = 3;
constexpr std::size_t kMaxHeaders = std::size_t{64} * 1024;  // bytes of all headers of an answer
constexpr Seconds kGrace{1};  ///< for libcurl to end by itself before its worker is given up

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using HeaderList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

/// The answer of one exchange so far.
struct Exchange {
  std::size_t max_body = 0;
  HttpResponse response;
  std::size_t header_bytes = 0;
};

// A callback stops libcurl by taking fewer bytes than it was given. No exception may pass through
// libcurl.

std::size_t take_header(char* /*data*/, std::size_t size, std::size_t count, void* user) noexcept {
  auto* exchange = static_cast<Exchange*>(user);
  exchange->header_bytes += size * count;
  return exchange->header_bytes > kMaxHeaders ? 0 : size * count;
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user) noexcept {
  auto* exchange = static_cast<Exchange*>(user);
  HttpResponse& response = exchange->response;
  const std::size_t room = exchange->max_body - response.body.size();
  response.complete = size * count <= room;
  try {
    response.body.append(data, std::min(size * count, room));
  } catch (const std::bad_alloc&) {
    return 0;
  }
  return response.complete ? size * count : 0;
}

template <typename Value>
void set(const Handle& handle, CURLoption option, Value value) {
  if (curl_easy_setopt(handle.get(), option, value) != CURLE_OK)
    throw SourceError(Reason::limit, "libcurl does not take an option");
}

Handle new_handle() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  Handle handle(ready == CURLE_OK ? curl_easy_init() : nullptr, curl_easy_cleanup);
  if (!handle) throw SourceError(Reason::limit, "libcurl cannot be used");
  return handle;
}

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

HeaderList identify(const Handle& handle, const HttpRequest& request) {
  std::string header;
  if (request.auth != HttpAuth::none) require_one_line(request);
  if (request.auth == HttpAuth::bearer) header = "Authorization: Bearer " + request.secret;
  if (request.auth == HttpAuth::header) header = header_line(request);
  if (request.auth == HttpAuth::basic) {
    set(handle, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(handle, CURLOPT_USERPWD, request.secret.c_str());
  }
  HeaderList headers(nullptr, curl_slist_free_all);
  if (header.empty()) return headers;
  headers.reset(curl_slist_append(nullptr, header.c_str()));
  if (!headers) throw SourceError(Reason::limit, "out of memory");
  set(handle, CURLOPT_HTTPHEADER, headers.get());
  return headers;
}

void configure(const Handle& handle, const HttpRequest& request, const Url& url, Seconds timeout) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
  set(handle, CURLOPT_URL, url.text().c_str());
  set(handle, CURLOPT_PROTOCOLS_STR, url.scheme.c_str());
  set(handle, CURLOPT_PROXY, "");  // the environment's proxy is not used
  set(handle, CURLOPT_NOSIGNAL, 1L);
  set(handle, CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(milliseconds)));
  set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(handle, CURLOPT_PATH_AS_IS, 1L);
  set(handle, CURLOPT_USERAGENT, "pg_integrity_exporter");
  set(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  set(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  if (request.ca_file.empty()) return;
  set(handle, CURLOPT_CAINFO, request.ca_file.c_str());
  set(handle, CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // only those of ca_file
}

/// Translates an error. libcurl's own texts contain nothing that was received, so they may be
/// shown.
SourceError error_of(CURLcode code, const HttpRequest& request, const Exchange& exchange) {
  const std::string text = fmt::format("{}: {}", request.name, curl_easy_strerror(code));
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return {Reason::timeout, request.name + ": no complete answer in time"};
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
      return {Reason::connect, text};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return {Reason::tls, text};
    case CURLE_SSL_CACERT_BADFILE:
      return {Reason::config, text};
    case CURLE_OUT_OF_MEMORY:  // in libcurl 7 also a header line above 100 kB
      return {Reason::limit, request.name + ": a header is too long, or memory short"};
    case CURLE_WRITE_ERROR:
      if (exchange.header_bytes > kMaxHeaders)
        return {Reason::protocol, request.name + ": more than 64 KiB of headers"};
      return {Reason::limit, request.name + ": out of memory"};
    default:
      return {Reason::protocol, text};
  }
}

/// Makes one exchange.
/// @param leads_to receives the target of a redirect, else an empty text.
HttpResponse exchange_with(const HttpRequest& request, const Url& url, Seconds timeout,
                           std::string& leads_to) {
  const Handle handle = new_handle();
  Exchange exchange;
  exchange.max_body = request.max_body;
  configure(handle, request, url, timeout);
  const HeaderList headers = identify(handle, request);
  set(handle, CURLOPT_HEADERFUNCTION, take_header);
  set(handle, CURLOPT_HEADERDATA, &exchange);
  set(handle, CURLOPT_WRITEFUNCTION, take_body);
  set(handle, CURLOPT_WRITEDATA, &exchange);
  const CURLcode code = curl_easy_perform(handle.get());
  if (code != CURLE_OK && exchange.response.complete) throw error_of(code, request, exchange);
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  curl_off_t retry_after = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RETRY_AFTER, &retry_after);
  exchange.response.retry_after = Seconds(static_cast<double>(retry_after));
  char* target = nullptr;
  curl_easy_getinfo(handle.get(), CURLINFO_REDIRECT_URL, &target);
  leads_to = target == nullptr ? "" : target;
  return std::move(exchange.response);
}

HttpResponse get_now(const HttpRequest& request, Seconds timeout) {
  const auto began = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return Seconds(std::chrono::steady_clock::now() - began); };
  Url url = request.url;
  for (int redirects = 0;; ++redirects) {
    std::string leads_to;
    HttpResponse response = exchange_with(request, url, timeout - elapsed(), leads_to);
    response.took = elapsed();
    if (leads_to.empty()) return response;
    if (redirects == kMaxRedirects)
      throw SourceError(Reason::http, request.name + ": too many redirects");
    const auto next = parse_url(leads_to.substr(0, leads_to.find('#')));
    if (!next || next->origin() != url.origin())
      throw SourceError(Reason::http,
                        fmt::format("{}: a redirect to another origin is not followed. HINT:"
                                    " configure the URL that it leads to",
                                    request.name));
    url = *next;
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
