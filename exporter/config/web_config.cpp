#include "exporter/config/web_config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <span>

#include "collectors/base/errors.h"
#include "collectors/base/settings.h"
#include "exporter/config/spelling.h"
#include "exporter/io/files.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kLargestWebFile = std::size_t{1} << 20;  // bytes
constexpr int kMostCost = 15;  // of bcrypt; a check takes 1.5 s then

constexpr Option kWebKeys[] = {
    {.name = "tls_server_config"}, {.name = "http_server_config"}, {.name = "basic_auth_users"}};
constexpr Option kTlsKeys[] = {{.name = "cert_file"},
                               {.name = "key_file"},
                               {.name = "cert"},
                               {.name = "key"},
                               {.name = "client_auth_type"},
                               {.name = "client_ca_file"},
                               {.name = "client_ca"},
                               {.name = "client_allowed_sans"},
                               {.name = "min_version"},
                               {.name = "max_version"},
                               {.name = "cipher_suites"},
                               {.name = "prefer_server_cipher_suites"},
                               {.name = "curve_preferences"}};
constexpr Option kHttpKeys[] = {{.name = "http2"}, {.name = "headers"}};
constexpr std::array<std::string_view, 5> kHeaders{"Content-Security-Policy", "X-Frame-Options",
                                                   "X-Content-Type-Options", "X-XSS-Protection",
                                                   "Strict-Transport-Security"};

const std::map<std::string, ClientCertificate> kClientAuth{
    {"NoClientCert", ClientCertificate::none},
    {"RequestClientCert", ClientCertificate::asked},
    {"RequireAnyClientCert", ClientCertificate::needed},
    {"VerifyClientCertIfGiven", ClientCertificate::verified_if_given},
    {"RequireAndVerifyClientCert", ClientCertificate::verified}};
const std::map<std::string, std::string> kCurves{
    {"CurveP256", "P-256"}, {"CurveP384", "P-384"}, {"CurveP521", "P-521"}, {"X25519", "X25519"}};

template <typename Value>
std::string names_of(const std::map<std::string, Value>& values) {
  std::string names;
  for (const auto& [name, value] : values) names += (names.empty() ? "" : ", ") + name;
  return names;
}

bool is_bcrypt(const std::string& hash) {
  if (hash.size() != 60 || hash.substr(0, 2) != "$2" || hash[3] != '$' || hash[6] != '$')
    return false;
  const bool digits = std::isdigit(static_cast<unsigned char>(hash[4])) != 0 &&
                      std::isdigit(static_cast<unsigned char>(hash[5])) != 0;
  return digits && std::string_view("aby").find(hash[2]) != std::string_view::npos;
}

class WebReader {
 public:
  explicit WebReader(std::string path) : path_(std::move(path)) { config_.files = {path_}; }

  ReadWebConfig read() {
    try {
      const YAML::Node top = YAML::Load(contents_of(path_, kLargestWebFile));
      read_top(top);
    } catch (const SourceError& error) {
      problems_.add(Place{path_}, error.what(), "name an existing file with --web.config.file");
    } catch (const YAML::Exception& error) {
      fault(error.mark, error.msg.empty() ? "it is no YAML" : error.msg, "indent with spaces");
    }
    if (!problems_.empty()) return problems_.lines();
    return std::move(config_);
  }

 private:
  void fault(const YAML::Mark& mark, const std::string& text, const std::string& hint = {}) {
    Place place{path_};
    if (!mark.is_null()) {
      place.line = static_cast<std::uint32_t>(mark.line + 1);
      place.column = static_cast<std::uint32_t>(mark.column + 1);
    }
    problems_.add(place, text, hint);
  }

  /// Calls `take` for each key of a mapping. Unknown keys and keys that are there twice are faults.
  void for_each_key(
      const YAML::Node& node, std::string_view name, std::span<const Option> keys,
      const std::function<void(const std::string& key, const YAML::Node& value)>& take) {
    if (!node || node.IsNull()) return;
    if (!node.IsMap()) return fault(node.Mark(), fmt::format("\"{}\" should be a mapping", name));
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const std::string key = entry.first.as<std::string>("");
      if (!keys.empty() && std::none_of(keys.begin(), keys.end(),
                                        [&](const Option& known) { return known.name == key; }))
        fault(entry.first.Mark(), fmt::format("unknown key \"{}\"", key), key_hint(key, keys));
      else if (!seen.insert(key).second)
        fault(entry.first.Mark(), fmt::format("\"{}\" appears twice", key));
      else
        take(key, entry.second);
    }
  }

  std::string text(const std::string& key, const YAML::Node& node) {
    if (node.IsScalar()) return node.Scalar();
    if (!node.IsNull()) fault(node.Mark(), fmt::format("\"{}\" should be text", key));
    return {};
  }

  bool flag(const std::string& key, const YAML::Node& node) {
    bool value = true;
    if (!node.IsScalar() || !YAML::convert<bool>::decode(node, value))
      fault(node.Mark(), fmt::format("\"{}\" should be true or false", key));
    return value;
  }

  std::vector<std::string> texts(const std::string& key, const YAML::Node& node) {
    std::vector<std::string> values;
    if (node.IsNull()) return values;
    if (!node.IsSequence()) {
      fault(node.Mark(), fmt::format("\"{}\" should be a list", key));
      return values;
    }
    for (const auto& element : node) values.push_back(text(key, element));
    return values;
  }

  void read_top(const YAML::Node& top) {
    for_each_key(top, "the file", kWebKeys, [&](const std::string& key, const YAML::Node& value) {
      if (key == "basic_auth_users") read_users(value);
      if (key == "http_server_config") read_http(value);
      if (key == "tls_server_config") read_tls(value);
    });
  }

  void read_users(const YAML::Node& node) {
    for_each_key(
        node, "basic_auth_users", {}, [&](const std::string& key, const YAML::Node& value) {
          const std::string hash = text(key, value);
          if (!is_bcrypt(hash))
            fault(value.Mark(), fmt::format("the password of \"{}\" is no bcrypt hash", key),
                  "make one by htpasswd -nBC 10 \"\" | tr -d ':\\n'");
          else if (key.empty() || key.find(':') != std::string::npos)
            fault(value.Mark(), "a user's name is not empty and has no colon");
          else if (std::stoi(hash.substr(4, 2)) > kMostCost)
            fault(value.Mark(),
                  fmt::format("the cost of the password of \"{}\" is above {}", key, kMostCost),
                  "make a hash of cost 10 to 12");
          else
            config_.users[key] = hash;
        });
  }

  void read_http(const YAML::Node& node) {
    for_each_key(node, "http_server_config", kHttpKeys,
                 [&](const std::string& key, const YAML::Node& value) {
                   if (key == "http2") flag(key, value);  // HTTP/1.1 is spoken in any case
                   if (key == "headers") read_headers(value);
                 });
  }

  void read_headers(const YAML::Node& node) {
    for_each_key(node, "headers", {}, [&](const std::string& key, const YAML::Node& value) {
      const std::string content = text(key, value);
      const bool printable = std::all_of(content.begin(), content.end(), [](unsigned char c) {
        return c == '\t' || (c >= 0x20 && c != 0x7f);
      });
      if (std::find(kHeaders.begin(), kHeaders.end(), key) == kHeaders.end())
        fault(value.Mark(), fmt::format("header \"{}\" cannot be set", key),
              fmt::format("{}", fmt::join(kHeaders, ", ")));
      else if (!printable)
        fault(value.Mark(), fmt::format("header \"{}\" has a control character", key));
      else if (!content.empty())
        config_.headers.emplace_back(key, content);
    });
  }

  void read_tls(const YAML::Node& node) {
    WebTls tls;
    std::string minimum = "TLS12";
    std::string maximum = "TLS13";
    for_each_key(node, "tls_server_config", kTlsKeys,
                 [&](const std::string& key, const YAML::Node& value) {
                   if (key == "cert_file") tls.certificate = file(key, value);
                   if (key == "key_file") tls.key = file(key, value);
                   if (key == "client_ca_file") tls.client_ca = file(key, value);
                   if (key == "cert") tls.certificate = text(key, value);
                   if (key == "key") tls.key = text(key, value);
                   if (key == "client_ca") tls.client_ca = text(key, value);
                   if (key == "client_auth_type")
                     tls.client = one_of(key, value, kClientAuth, tls.client);
                   if (key == "client_allowed_sans") tls.allowed_sans = texts(key, value);
                   if (key == "min_version") minimum = version(key, value, minimum);
                   if (key == "max_version") maximum = version(key, value, maximum);
                   if (key == "cipher_suites") tls.cipher_suites = texts(key, value);
                   if (key == "prefer_server_cipher_suites")
                     tls.server_chooses_suite = flag(key, value);
                   if (key == "curve_preferences" && value.IsSequence())
                     for (const auto& curve : value)
                       tls.curves.push_back(one_of(key, curve, kCurves, {}));
                   else if (key == "curve_preferences")
                     texts(key, value);
                 });
    if (!node || node.IsNull()) return;
    tls.only_tls13 = minimum == "TLS13";
    tls.no_tls13 = maximum == "TLS12";
    check_tls(node, tls);
    config_.tls = std::move(tls);
  }

  void check_tls(const YAML::Node& node, const WebTls& tls) {
    const bool verifies = tls.client == ClientCertificate::verified ||
                          tls.client == ClientCertificate::verified_if_given;
    if (!problems_.empty()) return;
    if (tls.certificate.empty() || tls.key.empty())
      fault(node.Mark(), "TLS needs a certificate and its key", "name cert_file and key_file");
    if (verifies && tls.client_ca.empty())
      fault(node.Mark(), "nothing says whose certificates of clients are good",
            "name client_ca_file");
    if (!verifies && (!tls.client_ca.empty() || !tls.allowed_sans.empty()))
      fault(node.Mark(), "nobody verifies the certificates of clients",
            "add client_auth_type: RequireAndVerifyClientCert");
    if (tls.only_tls13 && tls.no_tls13) fault(node.Mark(), "min_version is above max_version");
  }

  template <typename Value>
  Value one_of(const std::string& key, const YAML::Node& node,
               const std::map<std::string, Value>& values, Value otherwise) {
    const auto found = values.find(text(key, node));
    if (found != values.end()) return found->second;
    fault(node.Mark(), fmt::format("\"{}\" has no such value", key), names_of(values));
    return otherwise;
  }

  std::string version(const std::string& key, const YAML::Node& node,
                      const std::string& otherwise) {
    std::string value = text(key, node);
    if (value == "TLS12" || value == "TLS13") return value;
    fault(node.Mark(), fmt::format("\"{}\" is no version of TLS that is safe", key),
          "TLS12 or TLS13");
    return otherwise;
  }

  std::string file(const std::string& key, const YAML::Node& node) {
    const std::string name = text(key, node);
    if (name.empty()) return {};
    const std::string path = std::filesystem::path(path_).parent_path() / name;
    config_.files.push_back(path);
    try {
      return contents_of(path, kLargestWebFile);
    } catch (const SourceError& error) {
      fault(node.Mark(), fmt::format("\"{}\": {}", key, error.what()),
            "check that it exists and who may read it");
      return "unread";
    }
  }

  const std::string path_;
  WebConfig config_;
  Problems problems_;
};

}  // namespace

ReadWebConfig read_web_config(const std::string& path) {
  return WebReader(path).read();
}

}  // namespace pg_integrity
