// The file of --web.config.file: TLS, passwords and headers of the HTTP server, in the format of
// the Prometheus exporters. Safe on any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pg_integrity {

/// What is asked of a client's certificate.
enum class ClientCertificate : std::uint8_t {
  none,    ///< it is not asked for
  asked,   ///< asked for, and neither needed nor verified
  needed,  ///< needed, and not verified
  verified_if_given,
  verified
};

/// The texts of the files that it names, and no paths.
struct WebTls {
  std::string certificate;  ///< PEM, with its chain
  std::string key;          ///< PEM
  std::string client_ca;    ///< PEM; empty: none
  ClientCertificate client = ClientCertificate::none;
  std::vector<std::string> allowed_sans;  ///< empty: a client may be called anything
  bool only_tls13 = false;
  bool no_tls13 = false;
  std::vector<std::string> cipher_suites;  ///< IANA names, of TLS 1.2; empty: the library's
  std::vector<std::string> curves;         ///< OpenSSL's names; empty: the library's
  bool server_chooses_suite = true;
};

struct WebConfig {
  std::optional<WebTls> tls;
  std::map<std::string, std::string> users;  ///< name and bcrypt hash; empty: nobody is asked
  std::vector<std::pair<std::string, std::string>> headers;  ///< added to every answer
  std::vector<std::string> files;                            ///< all that were read
};

/// The configuration, or one line for each fault.
using ReadWebConfig = std::variant<WebConfig, std::vector<std::string>>;

/// Reads the file and those that it names, relative to its folder. Blocks.
ReadWebConfig read_web_config(const std::string& path);

}  // namespace pg_integrity
