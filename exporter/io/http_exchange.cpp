// We use libcurl because the client of cpp-httplib matches the status line with a regular
// expression. A status line of 100 kB overflows its stack, so any endpoint could end this process.
#include "exporter/io/http_exchange.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <string_view>

#include "collectors/base/errors.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxHeaders = std::size_t{64} * 1024;  // bytes of all headers of an answer

using HeaderList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

/// The answer of one exchange so far.
struct Exchange {
  const HttpSent& sent;
  std::atomic<std::size_t>& received_bytes;
  HttpReceived received{};
  std::size_t header_bytes = 0;
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

void note_header(Exchange& exchange, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string name(line.substr(0, colon));
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto& wanted = exchange.sent.wanted_headers;
  if (std::find(wanted.begin(), wanted.end(), name) != wanted.end())
    exchange.received.headers[name] = std::string(trimmed(line.substr(colon + 1)));
  if (name != "date") return;
  const time_t date = curl_getdate(std::string(trimmed(line.substr(colon + 1))).c_str(), nullptr);
  if (date > 0) exchange.received.date = static_cast<double>(date);
}

// A callback stops libcurl by taking fewer bytes than it was given. No exception may pass through
// libcurl.

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user) noexcept {
  auto* exchange = static_cast<Exchange*>(user);
  exchange->header_bytes += size * count;
  exchange->received_bytes += size * count;
  if (exchange->header_bytes > kMaxHeaders) return 0;
  try {
    note_header(*exchange, std::string_view(data, size * count));
  } catch (const std::bad_alloc&) {
    return 0;
  }
  return size * count;
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* user) noexcept {
  auto* exchange = static_cast<Exchange*>(user);
  HttpReceived& received = exchange->received;
  exchange->received_bytes += size * count;
  const std::size_t room = exchange->sent.max_body - received.body.size();
  received.complete = size * count <= room;
  try {
    received.body.append(data, std::min(size * count, room));
  } catch (const std::bad_alloc&) {
    return 0;
  }
  return received.complete ? size * count : 0;
}

template <typename Value>
void set(CURL* curl, CURLoption option, Value value) {
  if (curl_easy_setopt(curl, option, value) != CURLE_OK)
    throw SourceError(Reason::limit, "libcurl does not take an option");
}

void configure(CURL* curl, const HttpSent& sent) {
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(sent.timeout).count();
  set(curl, CURLOPT_URL, sent.url.text().c_str());
  set(curl, CURLOPT_PROTOCOLS_STR, sent.url.scheme.c_str());
  set(curl, CURLOPT_PROXY, "");  // the environment's proxy is not used
  set(curl, CURLOPT_NOSIGNAL, 1L);
  set(curl, CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(milliseconds)));
  set(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(curl, CURLOPT_PATH_AS_IS, 1L);
  set(curl, CURLOPT_USERAGENT, "pg_integrity_exporter");
  set(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  set(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  if (sent.ca_file.empty()) return;
  set(curl, CURLOPT_CAINFO, sent.ca_file.c_str());
  set(curl, CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // only those of ca_file
}

void identify(CURL* curl, const HttpSent& sent) {
  if (sent.user_password) {
    set(curl, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(curl, CURLOPT_USERPWD, sent.user_password->c_str());
  }
  if (const auto& signature = sent.signature) {
    set(curl, CURLOPT_AWS_SIGV4,
        fmt::format("aws:amz:{}:{}", signature->region, signature->service).c_str());
    set(curl, CURLOPT_USERNAME, signature->key_id.c_str());
    set(curl, CURLOPT_PASSWORD, signature->secret.c_str());
  }
}

void add_content(CURL* curl, const HttpSent& sent) {
  if (sent.body) {
    set(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(sent.body->size()));
    set(curl, CURLOPT_POSTFIELDS, sent.body->c_str());
  }
  if (sent.method != (sent.body ? "POST" : "GET"))
    set(curl, CURLOPT_CUSTOMREQUEST, sent.method.c_str());
}

HeaderList headers_of(const HttpSent& sent) {
  HeaderList headers(nullptr, curl_slist_free_all);
  for (const std::string& line : sent.headers) {
    curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) throw SourceError(Reason::limit, "out of memory");
    static_cast<void>(headers.release());
    headers.reset(longer);
  }
  return headers;
}

/// Translates an error. libcurl's own texts contain nothing that was received, so they may be
/// shown.
SourceError error_of(CURLcode code, const Exchange& exchange) {
  const std::string& name = exchange.sent.name;
  const std::string text = fmt::format("{}: {}", name, curl_easy_strerror(code));
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return {Reason::timeout, name + ": no complete answer in time"};
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
      return {Reason::limit, name + ": a header is too long, or memory short"};
    case CURLE_WRITE_ERROR:
      if (exchange.header_bytes > kMaxHeaders)
        return {Reason::protocol, name + ": more than 64 KiB of headers"};
      return {Reason::limit, name + ": out of memory"};
    default:
      return {Reason::protocol, text};
  }
}

}  // namespace

struct HttpConnection::Handle {
  CURL* curl = nullptr;
};

HttpConnection::HttpConnection() : handle_(std::make_unique<Handle>()) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  handle_->curl = ready == CURLE_OK ? curl_easy_init() : nullptr;
  if (handle_->curl == nullptr) throw SourceError(Reason::limit, "libcurl cannot be used");
}

HttpConnection::~HttpConnection() {
  curl_easy_cleanup(handle_->curl);
}

HttpReceived HttpConnection::exchange(const HttpSent& sent) {
  CURL* curl = handle_->curl;
  curl_easy_reset(curl);  // open connections stay
  Exchange exchange{sent, received_bytes_};
  configure(curl, sent);
  identify(curl, sent);
  add_content(curl, sent);
  const HeaderList headers = headers_of(sent);
  if (headers) set(curl, CURLOPT_HTTPHEADER, headers.get());
  set(curl, CURLOPT_HEADERFUNCTION, take_header);
  set(curl, CURLOPT_HEADERDATA, &exchange);
  set(curl, CURLOPT_WRITEFUNCTION, take_body);
  set(curl, CURLOPT_WRITEDATA, &exchange);
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK && exchange.received.complete) throw error_of(code, exchange);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  exchange.received.status = static_cast<int>(status);
  curl_off_t retry_after = 0;
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
  exchange.received.retry_after = Seconds(static_cast<double>(retry_after));
  char* target = nullptr;
  curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &target);
  exchange.received.leads_to = target == nullptr ? "" : target;
  curl_easy_reset(curl);  // it refers to this exchange, which ends
  return std::move(exchange.received);
}

}  // namespace pg_integrity
