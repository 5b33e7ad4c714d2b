#include "exporter/buckets/temporary_credentials.h"

#include <fmt/format.h>

#include "collectors/base/errors.h"
#include "collectors/base/json_value.h"
#include "collectors/base/url.h"
#include "exporter/buckets/address.h"
#include "exporter/buckets/listing.h"
#include "exporter/io/files.h"
#include "exporter/io/http_exchange.h"
#include "exporter/io/json_reader.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxToken = std::size_t{64} << 10;    // bytes of a token's file
constexpr std::size_t kMaxAnswer = std::size_t{256} << 10;  // bytes
constexpr Seconds kForService{5};
constexpr Seconds kForMetadata{1};  ///< it is on the same machine, or nowhere

std::string whole_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

Url url_in(const std::string& text, const char* variable) {
  const auto url = parse_url(text);
  if (!url) throw SourceError(Reason::config, std::string(variable) + " is no URL");
  return *url;
}

HttpReceived answer_of(const HttpSent& sent) {
  HttpReceived received = HttpConnection().exchange(sent);
  if (received.status == 200 && received.complete) return received;
  const auto refusal = read_refusal(received.body);
  const bool refused = received.status == 401 || received.status == 403 || received.status == 400;
  throw SourceError(refused ? Reason::auth : Reason::http,
                    fmt::format("{}: it answered {}{}", sent.name, received.status,
                                refusal ? " " + refusal->code.substr(0, 100) : ""));
}

UnixTime expiry_in(const std::string& text) {
  const auto when = parse_iso_time(text);
  if (!when)
    throw SourceError(Reason::decode, "the answer with keys does not say when they expire");
  return *when;
}

Credentials checked(Credentials found) {
  if (found.key_id.empty() || found.secret.empty())
    throw SourceError(Reason::decode, "the answer with keys holds none");
  return found;
}

/// Whether keys may be asked for there. They are sent in the clear with http.
bool is_near(const Url& url) {
  return url.scheme == "https" || url.loopback() || url.host == "169.254.170.2" ||
         url.host == "169.254.170.23" || url.host == "[fd00:ec2::23]";
}

}  // namespace

Credentials credentials_in_json(std::string_view text) {
  const JsonValue document = SaxJson().read(text);
  return checked({document.text_or_empty("AccessKeyId"), document.text_or_empty("SecretAccessKey"),
                  document.text_or_empty("Token"),
                  expiry_in(document.text_or_empty("Expiration"))});
}

Credentials credentials_in_xml(std::string_view text) {
  const std::vector<std::string> found =
      read_elements(text, {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"});
  return checked({found[0], found[1], found[2], expiry_in(found[3])});
}

std::optional<Credentials> web_identity_credentials(const std::string& region) {
  const std::string file = environment("AWS_WEB_IDENTITY_TOKEN_FILE");
  const std::string role = environment("AWS_ROLE_ARN");
  if (file.empty() || role.empty()) return std::nullopt;
  const std::string session = environment("AWS_ROLE_SESSION_NAME");
  const std::string token = whole_line(contents_of(file, kMaxToken));
  HttpSent sent;
  sent.name = "AssumeRoleWithWebIdentity";
  const std::string named = environment("AWS_ENDPOINT_URL_STS");
  const std::string usual = fmt::format("https://sts.{}.amazonaws.com{}/", region,
                                        region.starts_with("cn-") ? ".cn" : "");
  sent.url = url_in(named.empty() ? usual : named, "AWS_ENDPOINT_URL_STS");
  sent.timeout = kForService;
  sent.max_body = kMaxAnswer;
  sent.method = "POST";
  sent.body = fmt::format(
      "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={}&RoleSessionName={}"
      "&WebIdentityToken={}",
      percent_encoded(role, false),
      percent_encoded(session.empty() ? "pg_integrity_exporter" : session, false),
      percent_encoded(token, false));
  return credentials_in_xml(answer_of(sent).body);
}

std::optional<Credentials> container_credentials() {
  std::string where = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const std::string path = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (!path.empty()) where = "http://169.254.170.2" + path;
  if (where.empty()) return std::nullopt;
  HttpSent sent;
  sent.name = "the container's credentials";
  sent.url = url_in(where, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!is_near(sent.url))
    throw SourceError(Reason::config,
                      "AWS_CONTAINER_CREDENTIALS_FULL_URI leads to another machine by http");
  sent.timeout = kForService;
  sent.max_body = kMaxAnswer;
  const std::string file = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  const std::string token = file.empty() ? environment("AWS_CONTAINER_AUTHORIZATION_TOKEN")
                                         : whole_line(contents_of(file, kMaxToken));
  if (token.find('\n') != std::string::npos)
    throw SourceError(Reason::config, "the container's token is not one line");
  if (!token.empty()) sent.headers.push_back("Authorization: " + token);
  return credentials_in_json(answer_of(sent).body);
}

std::optional<Credentials> instance_credentials() {
  if (environment("AWS_EC2_METADATA_DISABLED") == "true") return std::nullopt;
  std::string service = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (service.empty()) service = "http://169.254.169.254";
  while (service.ends_with('/')) service.pop_back();
  HttpSent sent;
  sent.name = "the instance's metadata";
  sent.url = url_in(service + "/latest/api/token", "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  sent.timeout = kForMetadata;
  sent.max_body = kMaxAnswer;
  sent.method = "PUT";
  sent.body = "";
  sent.headers = {"X-aws-ec2-metadata-token-ttl-seconds: 300"};
  std::string token;
  try {
    token = answer_of(sent).body;
  } catch (const SourceError& error) {
    const bool nowhere = error.reason() == Reason::connect || error.reason() == Reason::timeout;
    if (nowhere) return std::nullopt;
    throw;
  }
  if (token.find_first_of("\r\n") != std::string::npos)
    throw SourceError(Reason::decode, sent.name + ": its token is not one line");
  sent.method = "GET";
  sent.body.reset();
  sent.headers = {"X-aws-ec2-metadata-token: " + token};
  sent.timeout = kForService;
  const std::string roles = "/latest/meta-data/iam/security-credentials/";
  sent.url.target = roles;
  const HttpReceived listed = HttpConnection().exchange(sent);
  if (listed.status == 404) return std::nullopt;
  const std::string role = listed.body.substr(0, listed.body.find('\n'));
  if (listed.status != 200 || role.empty())
    throw SourceError(Reason::http, fmt::format("{}: it answered {}", sent.name, listed.status));
  sent.url.target = roles + percent_encoded(role, false);
  return credentials_in_json(answer_of(sent).body);
}

}  // namespace pg_integrity
