#include "tests/support/object_store.h"

#include <httplib.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <set>
#include <sstream>
#include <stdexcept>

namespace pg_integrity::test {

namespace {

constexpr const char* kBucketName = "backups";

std::string hex(const unsigned char* bytes, std::size_t count) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += kDigits[bytes[i] >> 4U];
    out += kDigits[bytes[i] & 15U];
  }
  return out;
}

std::string sha256(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return hex(digest.data(), size);
}

std::string hmac(const std::string& key, const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

std::string encoded(const std::string& text, const std::string& kept = {}) {
  std::string out;
  for (const char c : text) {
    std::array<char, 4> code{};
    std::snprintf(code.data(), code.size(), "%%%02X", static_cast<unsigned char>(c));
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' ||
                       c == '_' || c == '~' || kept.find(c) != std::string::npos;
    out += plain ? std::string(1, c) : code.data();
  }
  return out;
}

std::string decoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    out += static_cast<char>(std::strtol(text.substr(i + 1, 2).c_str(), nullptr, 16));
    i += 2;
  }
  return out;
}

std::map<std::string, std::string> asked_by(const std::string& target) {
  std::map<std::string, std::string> asked;
  const std::size_t question = target.find('?');
  if (question == std::string::npos) return asked;
  for (const std::string& pair : split(target.substr(question + 1), '&')) {
    const std::size_t equals = pair.find('=');
    asked[decoded(pair.substr(0, equals))] =
        equals == std::string::npos ? "" : decoded(pair.substr(equals + 1));
  }
  return asked;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else
      out += c;
  }
  return out;
}

std::string time_text(UnixTime when, const char* form) {
  const auto seconds = static_cast<std::time_t>(when);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), form, &parts);
  return text.data();
}

std::string error_xml(const std::string& code, const std::string& more = {}) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code +
         "</Code><Message>The storage says " + code + ".</Message>" + more +
         "<RequestId>1</RequestId></Error>";
}

}  // namespace

std::string aws4_signature(const SignedRequest& request, const std::string& signed_headers,
                           const std::string& scope, const std::string& secret) {
  const std::size_t question = request.target.find('?');
  std::string canonical = request.method + "\n" + request.target.substr(0, question) + "\n";
  std::string query;
  for (const auto& [name, value] : asked_by(request.target))
    query += (query.empty() ? "" : "&") + encoded(name) + "=" + encoded(value);
  canonical += query + "\n";
  for (const std::string& name : split(signed_headers, ';')) {
    const auto header = request.headers.find(name);
    canonical += name + ":" + (header == request.headers.end() ? "" : header->second) + "\n";
  }
  canonical += "\n" + signed_headers + "\n" + request.headers.at("x-amz-content-sha256");
  const std::string to_sign = "AWS4-HMAC-SHA256\n" + request.headers.at("x-amz-date") + "\n" +
                              scope + "\n" + sha256(canonical);
  std::string key = "AWS4" + secret;
  for (const std::string& part : split(scope, '/')) key = hmac(key, part);
  const std::string signature = hmac(key, to_sign);
  return hex(reinterpret_cast<const unsigned char*>(signature.data()), signature.size());
}

struct ObjectStore::Impl {
  std::unique_ptr<httplib::Server> server;
};

ObjectStore::ObjectStore(const Certificate* certificate)
    : certificate_(certificate), impl_(std::make_unique<Impl>()) {
  directory_.write("credentials",
                   "[other]\naws_access_key_id = x\n[default]\naws_access_key_id = " + key_id +
                       "\naws_secret_access_key = " + secret + "\n");
  start();
}

ObjectStore::~ObjectStore() {
  stop();
}

void ObjectStore::put(const std::string& key, const std::string& content, double hours_old) {
  const std::lock_guard lock(mutex_);
  objects_[key] = {content, static_cast<double>(std::time(nullptr)) - hours_old * 3600};
}

void ObjectStore::remove(const std::string& key) {
  const std::lock_guard lock(mutex_);
  objects_.erase(key);
}

std::string ObjectStore::endpoint() const {
  return (certificate_ == nullptr ? "http" : "https") + std::string("://127.0.0.1:") +
         std::to_string(port_);
}

std::string ObjectStore::credentials() const {
  return directory_.path() + "/credentials";
}

std::string ObjectStore::source(const std::string& more, const std::string& s3) const {
  return "[[server.backups]]\nname = \"cloud\"\nbucket = \"s3://" + std::string(kBucketName) +
         "/dumps\"\nevery = \"24h\"\ns3 = { endpoint = \"" + endpoint() +
         "\", credentials_file = \"" + credentials() + "\"" + s3 + " }\n" + more + "\n";
}

void ObjectStore::stop() {
  if (!impl_->server) return;
  impl_->server->stop();
  thread_.join();
  impl_->server.reset();
}

std::string ObjectStore::listing(const std::map<std::string, std::string>& asked) const {
  const auto of = [&](const std::string& name) {
    const auto found = asked.find(name);
    return found == asked.end() ? "" : found->second;
  };
  const std::size_t most = std::min<std::size_t>(page_objects, std::stoul(of("max-keys")));
  std::string body =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>backups</Name>";
  if (of("encoding-type") == "url") body += "<EncodingType>url</EncodingType>";
  std::size_t count = 0;
  std::string last;
  bool truncated = false;
  const std::lock_guard lock(mutex_);
  for (auto at = objects_.upper_bound(of("continuation-token")); at != objects_.end(); ++at) {
    const auto& [key, stored] = *at;
    if (!key.starts_with(of("prefix"))) continue;
    if (count == most) {
      truncated = true;
      break;
    }
    ++count;
    last = key;
    std::string shown = of("encoding-type") == "url" ? encoded(key, "/ ") : escaped(key);
    std::replace(shown.begin(), shown.end(), ' ', '+');
    body += "<Contents><Key>" + shown + "</Key><LastModified>" +
            time_text(stored.modified, "%Y-%m-%dT%H:%M:%S.000Z") + "</LastModified><ETag>&quot;" +
            std::to_string(std::hash<std::string>{}(stored.content)) + "&quot;</ETag><Size>" +
            std::to_string(stored.content.size()) +
            "</Size><StorageClass>STANDARD</StorageClass></Contents>";
  }
  body += "<KeyCount>" + std::to_string(count) + "</KeyCount><IsTruncated>" +
          (truncated ? "true" : "false") + "</IsTruncated>";
  if (truncated) body += "<NextContinuationToken>" + escaped(last) + "</NextContinuationToken>";
  return body + "</ListBucketResult>";
}

/// The code with which the request is refused; empty if its signature is right.
std::string ObjectStore::fault_of(const SignedRequest& request) const {
  const auto header = [&](const std::string& name) {
    const auto found = request.headers.find(name);
    return found == request.headers.end() ? "" : found->second;
  };
  std::map<std::string, std::string> parts;  // of the header Authorization
  const std::string authorization = header("authorization");
  constexpr std::string_view kScheme = "AWS4-HMAC-SHA256 ";
  if (!authorization.starts_with(kScheme)) return "AccessDenied";
  for (const std::string& part : split(authorization.substr(kScheme.size()), ',')) {
    const std::size_t first = part.find_first_not_of(' ');
    const std::size_t equals = part.find('=');
    parts[part.substr(first, equals - first)] = part.substr(equals + 1);
  }
  const std::vector<std::string> credential = split(parts["Credential"], '/');
  if (credential.size() != 5 || credential[0] != key_id) return "InvalidAccessKeyId";
  if (credential[2] != region) return "AuthorizationHeaderMalformed";
  const std::string date = header("x-amz-date");
  if (credential[1] != date.substr(0, 8) || credential[3] != "s3") return "SignatureDoesNotMatch";
  std::tm parts_of_date{};
  ::strptime(date.c_str(), "%Y%m%dT%H%M%SZ", &parts_of_date);
  if (std::abs(std::difftime(::timegm(&parts_of_date), std::time(nullptr))) > 900)
    return "RequestTimeTooSkewed";
  // Everything that says what is asked for must be signed.
  const std::vector<std::string> names = split(parts["SignedHeaders"], ';');
  const std::set<std::string> covered(names.begin(), names.end());
  for (const auto& [name, value] : request.headers)
    if ((name == "host" || name.starts_with("x-amz-")) && !covered.contains(name))
      return "AccessDenied";
  if (!covered.contains("x-amz-content-sha256") || !covered.contains("x-amz-date"))
    return "AccessDenied";
  if (header("x-amz-security-token") != session_token)
    return session_token.empty() ? "InvalidToken" : "ExpiredToken";
  const std::string scope = parts["Credential"].substr(credential[0].size() + 1);
  return aws4_signature(request, parts["SignedHeaders"], scope, secret) == parts["Signature"]
             ? ""
             : "SignatureDoesNotMatch";
}

void ObjectStore::start() {
  if (certificate_ == nullptr)
    impl_->server = std::make_unique<httplib::Server>();
  else
    impl_->server = std::make_unique<httplib::SSLServer>(certificate_->certificate.c_str(),
                                                         certificate_->key.c_str());
  impl_->server->set_socket_options([](auto socket) {
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  impl_->server->set_tcp_nodelay(true);
  impl_->server->set_keep_alive_max_count(1000000);
  impl_->server->set_keep_alive_timeout(1);
  impl_->server->Get(".*", [this](const httplib::Request& request, httplib::Response& response) {
    ++requests;
    std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
    SignedRequest asked{request.method, request.target, {}};
    for (const auto& [name, value] : request.headers) {
      std::string lower = name;
      for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      asked.headers[lower] = value;
    }
    response.set_header(
        "Date", time_text(static_cast<double>(std::time(nullptr)), "%a, %d %b %Y %H:%M:%S GMT"));
    const auto refuse = [&](int code, const std::string& body) {
      response.status = code;
      response.set_content(body, "application/xml");
    };
    if (status != 0) return refuse(status, error_xml(refusal));
    if (const std::string fault = fault_of(asked); !fault.empty()) {
      ++refused;
      return refuse(fault == "AuthorizationHeaderMalformed" ? 400 : 403,
                    error_xml(fault, "<Region>" + region + "</Region><AWSAccessKeyId>" + key_id +
                                         "</AWSAccessKeyId>"));
    }
    const std::string path = decoded(asked.target.substr(0, asked.target.find('?')));
    const std::string top = "/" + std::string(kBucketName);
    if (path != top && !path.starts_with(top + "/")) return refuse(404, error_xml("NoSuchBucket"));
    std::string body;
    if (path == top) {
      ++listings;
      body = raw_listing.empty() ? listing(asked_by(asked.target)) : raw_listing;
    } else {
      const std::lock_guard lock(mutex_);
      const auto found = objects_.find(path.substr(top.size() + 1));
      if (found == objects_.end()) return refuse(404, error_xml("NoSuchKey"));
      body = found->second.content;
      if (!gives_parts) response.status = 200;
    }
    if (!gives_parts) const_cast<httplib::Request&>(request).ranges.clear();
    if (break_after == 0) {
      response.set_content_provider(
          body.size() + 1000, "application/octet-stream",
          [body](std::size_t at, std::size_t /*count*/, httplib::DataSink& sink) {
            if (at == 0) sink.write(body.data(), body.size() / 2);
            return at == 0;
          });
      return;
    }
    if (break_after > 0) --break_after;
    response.set_content(body, "application/octet-stream");
  });
  if (port_ == 0)
    port_ = impl_->server->bind_to_any_port("127.0.0.1");
  else if (!impl_->server->bind_to_port("127.0.0.1", port_))
    throw std::runtime_error("the object storage does not get its port back");
  if (port_ <= 0) throw std::runtime_error("the object storage finds no port");
  thread_ = std::thread([this] { impl_->server->listen_after_bind(); });
  while (!impl_->server->is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace pg_integrity::test
