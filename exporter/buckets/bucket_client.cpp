#include "exporter/buckets/bucket_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "collectors/base/errors.h"
#include "exporter/buckets/address.h"

namespace pg_integrity {

namespace {

constexpr Seconds kGrace{1};  ///< for libcurl to end by itself before its worker is given up
constexpr std::size_t kMaxWords = 200;  // bytes of a message of the storage that are shown
constexpr Seconds kBeforeExpiry{300};   ///< keys are renewed so long before they expire
constexpr const char* kNoBody =
    "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

template <std::size_t N>
bool is_one_of(std::string_view code, const std::array<std::string_view, N>& codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

void hide(std::string& text, const std::string& secret) {
  if (secret.empty()) return;
  for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
    text.replace(at, secret.size(), "(hidden)");
}

/// Words of the storage as they may be shown: one line of bounded length, without our keys.
std::string shown_words(std::string text, const Credentials& credentials) {
  for (const std::string* secret :
       {&credentials.secret, &credentials.session_token, &credentials.key_id})
    hide(text, *secret);
  if (text.size() > kMaxWords) text = text.substr(0, kMaxWords) + "...";
  for (char& c : text)
    if (c < ' ' || c >= '\x7f') c = c == '\n' || c == '\t' ? ' ' : '?';
  return text;
}

/// The range of bytes that an answer holds: "bytes 0-9/100".
struct ContentRange {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t size = 0;
};

std::optional<ContentRange> range_of(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return std::nullopt;
  text.remove_prefix(kUnit.size());
  ContentRange range;
  const auto take = [&](std::uint64_t& number, char after) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (after == '\0') return text.empty();
    if (!text.starts_with(after)) return false;
    text.remove_prefix(1);
    return true;
  };
  if (!take(range.from, '-') || !take(range.to, '/') || !take(range.size, '\0'))
    return std::nullopt;
  return range;
}

}  // namespace

Credentials BucketClient::credentials() {
  auto known = state_->credentials();
  const double left = known ? known->expires.value_or(HUGE_VAL) - clock_.unix_now() : 0;
  if (left > (renewal_failed_ ? 0 : kBeforeExpiry.count())) return std::move(*known);
  const Bucket bucket = state_->bucket();
  try {
    Credentials found = workers_.run<Credentials>("credentials of " + bucket.text(), deadline_,
                                                  [bucket] { return find_credentials(bucket); });
    state_->keep(found);
    return found;
  } catch (const SourceError&) {
    if (left <= 0) throw;
    renewal_failed_ = true;  // the known ones are still good
    return std::move(*known);
  }
}

HttpReceived BucketClient::send(const Url& url, const std::string& region,
                                const Credentials& credentials,
                                const std::vector<std::string>& headers, std::size_t max_body) {
  const Bucket& bucket = state_->bucket();
  const Seconds left = this->left();
  const SourceError too_late(Reason::limit, bucket.text() + ": the step has no time left");
  if (left.count() <= 0) throw SourceError(too_late);
  HttpSent sent{bucket.text(), url, std::min(bucket.timeout, left), max_body, bucket.ca_file};
  sent.headers = headers;
  sent.headers.emplace_back(kNoBody);
  if (!credentials.session_token.empty())
    sent.headers.push_back("x-amz-security-token: " + credentials.session_token);
  sent.signature = Aws4Signature{region, "s3", credentials.key_id, credentials.secret};
  sent.wanted_headers = {"content-range", "x-amz-bucket-region"};
  state_->spend_request(clock_);
  auto connection = state_->take_connection();
  try {
    HttpReceived received = workers_.run<HttpReceived>(
        fmt::format("{} at {}", bucket.text(), url.origin()), clock_.now() + sent.timeout + kGrace,
        [connection, sent] { return connection->exchange(sent); });
    state_->note_received(connection->take_received_bytes());
    state_->give_back(std::move(connection));
    return received;
  } catch (const SourceError& error) {
    state_->note_received(connection->take_received_bytes());  // part of an answer costs, too
    // The request got less time than its own time-out, so the storage cannot be blamed.
    if (error.reason() == Reason::timeout && left < bucket.timeout) throw SourceError(too_late);
    throw;
  }
}

HttpReceived BucketClient::ask(About about, const Url& url, const std::vector<std::string>& headers,
                               std::size_t max_body) {
  const std::string region = address_of(state_->bucket(), environment_region()).region;
  for (bool again = false;; again = true) {
    const Credentials used = credentials();
    HttpReceived received = send(url, region, used, headers, max_body);
    if (received.status == 200 || received.status == 206) {
      state_->note_answer();
      return received;
    }
    const SourceError why = refusal(about, received, used);
    if (why.reason() == Reason::auth && !again) {
      // Somebody may have changed the keys since we read them.
      state_->forget_credentials();
      if (credentials() != used) continue;
      state_->forget_credentials();
    }
    throw SourceError(why);
  }
}

SourceError BucketClient::refusal(About about, const HttpReceived& received,
                                  const Credentials& credentials) {
  constexpr std::array<std::string_view, 9> kWrongKey{
      "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken",
      "ExpiredToken",       "TokenRefreshRequired",  "AuthorizationHeaderMalformed",
      "InvalidSecurity",    "NotSignedUp",           "InvalidClientTokenId"};
  const Bucket& bucket = state_->bucket();
  const Refusal words = read_refusal(received.body).value_or(Refusal{});
  std::string text = fmt::format("{}: it answered {}", bucket.text(), received.status);
  if (!words.code.empty()) text += " " + shown_words(words.code, credentials);
  if (!words.message.empty()) text += ": " + shown_words(words.message, credentials);

  const auto told = received.headers.find("x-amz-bucket-region");
  const std::string there = told != received.headers.end() ? told->second : words.region;
  const bool moved = received.status / 100 == 3 || words.code == "AuthorizationHeaderMalformed" ||
                     words.code == "IllegalLocationConstraintException";
  if (moved && !there.empty())
    return {Reason::config, text + ". HINT: region = \"" + shown_words(there, credentials) + "\""};
  if (moved && received.status / 100 == 3)
    return {Reason::config, text + ". HINT: name the right `region` and `endpoint`"};
  if (is_one_of(words.code, kWrongKey) || received.status == 401) return {Reason::auth, text};
  if (words.code == "RequestTimeTooSkewed") return {Reason::clock, text};
  if (received.status == 429 || received.status >= 500) {
    SourceError why(Reason::http, text);
    if (received.status == 429 || received.status == 503)
      state_->leave_alone(clock_, received.retry_after, why);
    return why;
  }
  if (words.code == "NoSuchBucket" || (about == About::listing && received.status == 404))
    return {Reason::missing, text};
  if (received.status == 404) return {Reason::missing, text};
  if (words.code == "AccessDenied" || words.code == "AllAccessDisabled" ||
      (received.status == 403 && words.code != "InvalidObjectState"))
    return {Reason::permission, text + (about == About::listing ? ". HINT: allow s3:ListBucket"
                                                                : ". HINT: allow s3:GetObject")};
  return {about == About::listing ? Reason::http : Reason::io, text};
}

BucketClient::Page BucketClient::list(const std::string& token) {
  const Bucket& bucket = state_->bucket();
  const BucketAddress address = address_of(bucket, environment_region());
  const HttpReceived received =
      ask(About::listing, listing_url(address, bucket.prefix, token), {}, kMaxPageBytes);
  if (!received.complete)
    throw SourceError(Reason::decode, bucket.text() + ": a page of its listing is too large");
  Page page;
  try {
    page.page = read_listing_page(received.body);
  } catch (const SourceError& error) {
    throw SourceError(error.reason(), bucket.text() + ": " + error.what());
  }
  page.at = received.date.value_or(clock_.unix_now());
  return page;
}

std::string BucketClient::read(const BucketObject& object, std::size_t from, std::size_t count) {
  const Bucket& bucket = state_->bucket();
  const std::string path = bucket.text() + "/" + object.key;
  const BucketAddress address = address_of(bucket, environment_region());
  HttpReceived received = ask(About::object, object_url(address, bucket.prefix + object.key),
                              {fmt::format("Range: bytes={}-{}", from, from + count - 1)}, count);
  const auto header = received.headers.find("content-range");
  const auto range = header == received.headers.end() ? std::nullopt : range_of(header->second);
  if (received.status == 206 && !range)
    throw SourceError(Reason::protocol, path + ": the answer does not say which bytes it holds");
  if (!range && from > 0)
    throw SourceError(Reason::protocol, path + ": the storage does not give parts of objects");
  const double size = range               ? static_cast<double>(range->size)
                      : received.complete ? static_cast<double>(received.body.size())
                                          : object.size;
  if (size != object.size) {
    state_->forget_listing();
    throw SourceError(Reason::missing, path + " is another one than was listed");
  }
  if ((range && range->from != from) || received.body.size() != count)
    throw SourceError(Reason::protocol,
                      path + ": the answer holds other bytes than were asked for");
  return std::move(received.body);
}

}  // namespace pg_integrity
