#include "exporter/config/web_config.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/process.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::web_config_test {
namespace {

constexpr const char* kHash = "$2y$04$kr3wSQ3eBv1y4xE3EJ0OUempmM4kMkW49yJs81L5bC2QAXEdfPjNe";

class WebConfigFile : public ::testing::Test {
 protected:
  WebConfigFile() {
    directory_.write("cert.pem", "a certificate");
    directory_.write("key.pem", "a key");
    directory_.write("ca.pem", "an authority");
  }
  std::string write(const std::string& text) { return path_ = directory_.write("web.yml", text); }
  WebConfig read(const std::string& text) {
    auto read = read_web_config(write(text));
    if (const auto* faults = std::get_if<std::vector<std::string>>(&read))
      throw std::runtime_error(faults->front());
    return std::get<WebConfig>(std::move(read));
  }
  /// The faults, without the path.
  std::string faults(const std::string& text) {
    const auto read = read_web_config(write(text));
    std::string all;
    if (const auto* faults = std::get_if<std::vector<std::string>>(&read))
      for (const std::string& fault : *faults) all += fault.substr(path_.size()) + "\n";
    return all;
  }

  TemporaryDirectory directory_;
  std::string path_;
};

TEST_F(WebConfigFile, IsReadAsTheOtherExportersReadIt) {
  const WebConfig config = read(
      "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n"
      "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"
      "  client_allowed_sans: [prometheus]\n"
      "  min_version: TLS13\n  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n"
      "  curve_preferences: [X25519, CurveP256]\n  prefer_server_cipher_suites: false\n"
      "http_server_config:\n  http2: false\n  headers:\n    X-Frame-Options: deny\n"
      "basic_auth_users:\n  alice: " +
      std::string(kHash) + "\n  bob: '" + kHash + "'\n");
  ASSERT_TRUE(config.tls.has_value());
  EXPECT_EQ(config.tls->certificate, "a certificate");
  EXPECT_EQ(config.tls->key, "a key");
  EXPECT_EQ(config.tls->client_ca, "an authority");
  EXPECT_EQ(config.tls->client, ClientCertificate::verified);
  EXPECT_EQ(config.tls->allowed_sans, std::vector<std::string>{"prometheus"});
  EXPECT_TRUE(config.tls->only_tls13);
  EXPECT_EQ(config.tls->curves, (std::vector<std::string>{"X25519", "P-256"}));
  EXPECT_FALSE(config.tls->server_chooses_suite);
  EXPECT_EQ(config.users.size(), 2U);
  EXPECT_EQ(config.users.at("alice"), kHash);
  ASSERT_EQ(config.headers.size(), 1U);
  EXPECT_EQ(config.headers.front().second, "deny");
  EXPECT_EQ(config.files.size(), 4U) << "all of them are looked at again";
}

TEST_F(WebConfigFile, MayBeEmpty) {
  for (const char* text : {"", "---\n", "basic_auth_users:\n", "# nothing\n"}) {
    const WebConfig config = read(text);
    EXPECT_FALSE(config.tls.has_value()) << text;
    EXPECT_TRUE(config.users.empty()) << text;
  }
}

TEST_F(WebConfigFile, EachFaultHasItsPlaceAndARemedy) {
  EXPECT_EQ(faults("tls_server_confg: {}\n"),
            ":1:1: unknown key \"tls_server_confg\". HINT: did you mean \"tls_server_config\"?\n");
  EXPECT_EQ(
      faults("basic_auth_users:\n  alice: secret\n"),
      ":2:10: the password of \"alice\" is no bcrypt hash. HINT: make one by htpasswd -nBC 10 "
      "\"\" | tr -d ':\\n'\n");
  EXPECT_EQ(faults("tls_server_config:\n  cert_file: nowhere.pem\n  key_file: key.pem\n"),
            ":2:14: \"cert_file\": " + directory_.path() +
                "/nowhere.pem: No such file or directory. HINT: check that it exists and who may"
                " read it\n");
  EXPECT_NE(faults("tls_server_config: {cert_file: cert.pem}\n").find("TLS needs a certificate"),
            std::string::npos);
  EXPECT_NE(
      faults("tls_server_config: {cert_file: cert.pem, key_file: key.pem, min_version: TLS10}\n")
          .find("\"min_version\" is no version of TLS that is safe. HINT: TLS12 or TLS13"),
      std::string::npos);
  EXPECT_NE(faults("tls_server_config: {cert_file: cert.pem, key_file: key.pem, client_ca_file: "
                   "ca.pem}\n")
                .find("nobody verifies"),
            std::string::npos);
  EXPECT_NE(faults("tls_server_config: {cert_file: cert.pem, key_file: key.pem, client_auth_type: "
                   "RequireAndVerifyClientCert}\n")
                .find("name client_ca_file"),
            std::string::npos);
  EXPECT_NE(faults("http_server_config: {headers: {Server: x}}\n").find("cannot be set"),
            std::string::npos);
  EXPECT_NE(faults("http_server_config: {headers: {X-Frame-Options: \"a\\r\\nb\"}}\n")
                .find("control character"),
            std::string::npos);
  EXPECT_NE(faults("basic_auth_users: {a: " + std::string("$2y$31") + std::string(kHash).substr(6) +
                   "}\n")
                .find("is above 15"),
            std::string::npos);
  EXPECT_NE(faults("basic_auth_users: [a]\n").find("should be a mapping"), std::string::npos);
  EXPECT_NE(faults("basic_auth_users: {a: x, a: y}\n").find("appears twice"), std::string::npos);
  EXPECT_NE(faults("\tindented: by tabs\n").find("HINT: "), std::string::npos);
  EXPECT_NE(faults("a: [\n").find("HINT: "), std::string::npos);
  EXPECT_NE(faults("a: *nobody\n").find("HINT: "), std::string::npos);
}

TEST_F(WebConfigFile, NeverWaitsForWhatIsNoFile) {
  const std::string pipe = directory_.path() + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {pipe, directory_.path(), std::string("/dev/zero")}) {
    const auto read = read_web_config(path);
    ASSERT_TRUE(std::holds_alternative<std::vector<std::string>>(read)) << path;
    EXPECT_NE(std::get<std::vector<std::string>>(read).front().find("not a regular file"),
              std::string::npos);
    EXPECT_NE(faults("tls_server_config: {cert_file: " + path + ", key_file: key.pem}\n")
                  .find("not a regular file"),
              std::string::npos);
  }
}

TEST_F(WebConfigFile, DeepOrTangledFilesAreRefusedOrRead) {
  EXPECT_NE(faults(std::string(100000, '[')), "");
  EXPECT_NE(faults("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"), "");
  EXPECT_NE(faults(std::string("basic_auth_users: {a: \0}\n", 26)), "");
}

}  // namespace
}  // namespace pg_integrity::test::web_config_test
