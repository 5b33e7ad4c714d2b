// The door of the real program: TLS, passwords and their rotation, probes, one owner of a state
// directory, and what a log reader, a mounted directory or a limit of the machine can do to it.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <regex>

#include "tests/support/certificates.h"
#include "tests/support/content.h"
#include "tests/support/exporter.h"
#include "tests/support/paths.h"
#include "tests/support/prometheus.h"
#include "tests/support/wait.h"
#include "tests/support/wire.h"

namespace pg_integrity::test::door_test {
namespace {

// bcrypt of "test" and of "other", at cost 10 as htpasswd makes it.
constexpr const char* kHashOfTest = "$2y$10$kr3wSQ3eBv1y4xE3EJ0OUekEScwk78QZ63hI62d2DVI9OyuDlZvlK";
constexpr const char* kHashOfOther = "$2y$10$kr3wSQ3eBv1y4xE3EJ0OUewW7GLDsFtxpD4K0ujcvFSiuMmctwKYC";

/// A server that nobody answers for: the door is what is tested.
std::string nobody() {
  return "[[server]]\nname = \"nobody\"\ndsn = \"host=127.0.0.1 port=" +
         std::to_string(free_port()) + " dbname=x user=x\"\n";
}

class Door : public ::testing::Test {
 protected:
  Door() {
    certificates_.make("server", "IP:127.0.0.1,DNS:localhost");
    certificates_.make("client", "DNS:prometheus");
    config_ = directory_.write("exporter.toml", "listen = \"127.0.0.1:0\"\nstate_dir = \"" +
                                                    directory_.path() + "\"\n" + nobody());
  }

  void write_web_config(const std::string& user, const std::string& hash) {
    web_ = certificates_.directory().write(
        "web.yml",
        "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n"
        "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"
        "http_server_config:\n  headers:\n    Strict-Transport-Security: max-age=60\n"
        "basic_auth_users:\n  " +
            user + ": " + hash + "\n");
  }

  void start(std::vector<std::string> more = {}) {
    std::vector<std::string> command{program(), "--config", config_};
    command.insert(command.end(), more.begin(), more.end());
    process_ = std::make_unique<Process>(command);
    std::smatch match;
    std::string text;
    const std::regex listening("https?://[^ ]*:([0-9]+)/\"");
    if (!eventually([&] {
          text = process_->err();
          return std::regex_search(text, match, listening) || !process_->running();
        }) ||
        match.empty())
      throw std::runtime_error("the exporter does not listen: " + process_->err());
    port_ = std::stoi(match[1]);
  }

  [[nodiscard]] Finished curl(std::vector<std::string> more,
                              const std::string& path = "/metrics") const {
    std::vector<std::string> command{"curl",       "-sS", "--cacert", certificates_.path("ca.pem"),
                                     "--max-time", "30"};
    command.insert(command.end(), more.begin(), more.end());
    command.push_back("https://127.0.0.1:" + std::to_string(port_) + path);
    return run(command);
  }
  [[nodiscard]] std::vector<std::string> client(const std::string& password) const {
    return {"--cert", certificates_.path("client.pem"),
            "--key",  certificates_.path("client.key"),
            "-u",     "alice:" + password};
  }

  Certificates certificates_;
  TemporaryDirectory directory_;
  std::string config_;
  std::string web_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

TEST_F(Door, LetsInWhoHasCertificateAndPassword) {
  write_web_config("alice", kHashOfTest);
  const Finished promtool = run({"promtool", "check", "web-config", web_});
  EXPECT_EQ(promtool.status, 0) << promtool.err;
  start({"--web.config.file", web_});
  EXPECT_NE(process_->err().find("url=\"https://"), std::string::npos);
  for (const char* path : {"/metrics", "/", "/report.json", "/-/healthy"}) {
    std::vector<std::string> arguments = client("test");
    arguments.push_back("-i");
    const std::string answer = curl(arguments, path).out;
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << path << answer.substr(0, 300);
    EXPECT_NE(answer.find("Strict-Transport-Security: max-age=60\r\n"), std::string::npos) << path;
  }
  const double expires = PageText(curl(client("test")).out)
                             .value("pg_integrity_tls_certificate_expiry_timestamp_seconds")
                             .value_or(0);
  EXPECT_GT(expires, static_cast<double>(std::time(nullptr)));
  const auto status = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"-o", "/dev/null", "-w", "%{http_code}"});
    return curl(arguments).out;
  };
  EXPECT_EQ(status(client("wrong")), "401");
  EXPECT_EQ(status({"--cert", certificates_.path("client.pem"), "--key",
                    certificates_.path("client.key")}),
            "401");
  EXPECT_EQ(status({"-u", "alice:test"}), "000") << "without a certificate";
  std::vector<std::string> old = client("test");
  old.insert(old.end(), {"--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"});
  EXPECT_EQ(status(old), "000") << "TLS 1.1";
  std::vector<std::string> tls12 = client("test");
  tls12.insert(tls12.end(), {"--tls-max", "1.2"});
  EXPECT_EQ(status(tls12), "200");
  const Finished plain =
      run({"curl", "-sS", "http://127.0.0.1:" + std::to_string(port_) + "/metrics"});
  EXPECT_NE(plain.status, 0) << "without TLS";
  EXPECT_EQ(run({program(), "healthcheck", "--listen", "127.0.0.1:" + std::to_string(port_)}).out,
            "healthy\n")
      << "beside certificate and password";
}

TEST_F(Door, PrometheusScrapesWhileCertificateAndPasswordAreReplaced) {
  write_web_config("alice", kHashOfTest);
  start({"--web.config.file", web_});
  const auto scraping = [&](const std::string& user, const std::string& password) {
    PrometheusOptions options;
    options.scrape =
        "    scrape_interval: 5s\n    scrape_timeout: 5s\n    scheme: https\n    tls_config: { "
        "ca_file: " +
        certificates_.path("ca.pem") + ", cert_file: " + certificates_.path("client.pem") +
        ", key_file: " + certificates_.path("client.key") +
        " }\n    basic_auth: { username: " + user + ", password: " + password + " }\n";
    return options;
  };
  const Prometheus first(port_, scraping("alice", "test"));
  static_cast<void>(first.wait_for("pg_integrity_build_info"));
  // Both users are good for as long as Prometheus changes over.
  write_web_config("alice", kHashOfTest);
  std::ofstream(web_, std::ios::app) << "  bob: " << kHashOfOther << "\n";
  const auto bob = [&](const std::string& path) {
    return curl({"--cert", certificates_.path("client.pem"), "--key",
                 certificates_.path("client.key"), "-u", "bob:other"},
                path)
        .out;
  };
  ASSERT_TRUE(eventually([&] { return bob("/-/healthy") == "healthy\n"; }));
  const Prometheus second(port_, scraping("bob", "other"));
  certificates_.make("server", "IP:127.0.0.1,DNS:localhost,DNS:second");
  ASSERT_TRUE(eventually([&] {
    return run({"bash", "-c",
                "openssl s_client -connect 127.0.0.1:" + std::to_string(port_) +
                    " </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName"})
               .out.find("second") != std::string::npos;
  }));
  static_cast<void>(second.wait_for("count_over_time(up[10m]) > 3"));
  for (const Prometheus* scraper : {&first, &second})
    EXPECT_EQ(scraper->query("min_over_time(up[10m]) == 1").size(), 1U) << "a gap";
  // A half-written file and one that asks for less change nothing.
  certificates_.directory().write("web.yml", "");
  ASSERT_TRUE(eventually(
      [&] { return process_->err().find("asks for less than it did") != std::string::npos; }));
  EXPECT_EQ(curl({"-o", "/dev/null", "-w", "%{http_code}"}).out, "000");
  EXPECT_EQ(bob("/-/healthy"), "healthy\n");
  write_web_config("bob", kHashOfOther);
  ASSERT_TRUE(eventually([&] {
    return bob("/metrics").find("\npg_integrity_config_last_reload_successful 1\n") !=
           std::string::npos;
  }));
  EXPECT_EQ(curl(client("test"), "/-/healthy").out, "a name and its password are needed\n");
  EXPECT_EQ(second.query("min_over_time(up[10m]) == 1").size(), 1U) << "a gap";
}

TEST_F(Door, AWebConfigurationThatCannotBeUsedIsOneLine) {
  write_web_config("alice", kHashOfTest);
  certificates_.make("stranger", "IP:127.0.0.1");
  std::filesystem::copy_file(certificates_.path("stranger.key"), certificates_.path("server.key"),
                             std::filesystem::copy_options::overwrite_existing);
  const Finished finished = run({program(), "--config", config_, "--web.config.file", web_});
  EXPECT_EQ(finished.status, 3);
  EXPECT_NE(finished.err.find(web_ + ": TLS: the key does not belong to the certificate"),
            std::string::npos)
      << finished.err;
  EXPECT_NE(finished.err.find("HINT: "), std::string::npos);
  directory_.write("exporter.toml", "web_config_file = \"" + web_ + "\"\n" + nobody());
  EXPECT_EQ(run({program(), "config", "check", "--config", config_}).status, 3);
}

TEST_F(Door, AStateDirectoryHasOneOwner) {
  start();
  const Finished second = run({program(), "--config.file", config_});
  EXPECT_EQ(second.status, 1);
  EXPECT_NE(
      second.err.find("state_dir " + directory_.path() + " belongs to another exporter, process " +
                      std::to_string(process_->pid()) + ". HINT: "),
      std::string::npos)
      << second.err;
  process_->signal(SIGKILL);
  ASSERT_TRUE(process_->wait_for(std::chrono::seconds(10)));
  start();
  EXPECT_EQ(fetch(port_, "/-/healthy").status, 200);
}

TEST_F(Door, WhatIsMountedInPlaceOfAFileEndsNothing) {
  const std::string secret = directory_.write("dsn", "host=127.0.0.1 port=1 dbname=x user=x");
  directory_.write("exporter.toml", "state_dir = \"" + directory_.path() +
                                        "\"\n[[server]]\nname = \"a\"\n"
                                        "dsn_file = \"" +
                                        secret + "\"\n");
  start({"--web.listen-address", "127.0.0.1:0", "--log.level", "info", "--log.format", "json"});
  EXPECT_TRUE(process_->err().starts_with("{\"ts\":\"")) << process_->err();
  const auto refused = [&] {
    return PageText(fetch(port_, "/metrics").body)
               .value("pg_integrity_config_last_reload_successful") == 0;
  };
  const auto good = [&] {
    return PageText(fetch(port_, "/metrics").body)
               .value("pg_integrity_config_last_reload_successful") == 1;
  };
  const auto replace = [&](const std::function<void()>& make) {
    std::filesystem::remove_all(secret);
    make();
    process_->signal(SIGHUP);
    EXPECT_TRUE(eventually(refused)) << process_->err();
    std::filesystem::remove_all(secret);
    directory_.write("dsn", "host=127.0.0.1 port=1 dbname=x user=x");
    process_->signal(SIGHUP);
    EXPECT_TRUE(eventually(good)) << process_->err();
  };
  replace([&] { std::filesystem::create_directory(secret); });
  replace([&] { ::mkfifo(secret.c_str(), 0600); });
  replace([&] { std::filesystem::create_symlink("/dev/zero", secret); });
  replace([&] { std::ofstream(secret) << std::string(1 << 20, 'x'); });
  process_->signal(SIGTERM);
  EXPECT_EQ(process_->wait_for(std::chrono::seconds(10)), 0);
}

TEST_F(Door, ALogReaderThatStandsStillStopsNothing) {
  const std::string fifo = directory_.path() + "/log";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  // The reader opens the pipe and never reads. Each reload writes two lines and more.
  process_ = std::make_unique<Process>(std::vector<std::string>{
      "bash", "-c",
      "exec 4<>" + fifo + "; exec " + program() + " --config " + config_ +
          " --listen 127.0.0.1:" + std::to_string(port_ = free_port()) + " 2>" + fifo});
  ASSERT_TRUE(eventually([&] {
    try {
      return fetch(port_, "/-/healthy").status == 200;
    } catch (const std::exception&) {
      return false;
    }
  }));
  directory_.write("exporter.toml", std::string(200, 'x') + " = 1\n" + nobody());
  for (int i = 0; i < 400; ++i) {
    process_->signal(SIGHUP);
    if (i % 50 == 0) {
      EXPECT_EQ(fetch(port_, "/metrics").status, 200);
    }
    ::usleep(5000);
  }
  EXPECT_EQ(fetch(port_, "/metrics").status, 200);
  process_->signal(SIGTERM);
  EXPECT_EQ(process_->wait_for(std::chrono::seconds(10)), 0);
}

TEST_F(Door, LimitsOfTheMachineGiveOneLineOrRefuseARequest) {
  std::vector<std::string> limits{"--nofile=12", "--nofile=20"};
#ifndef __SANITIZE_ADDRESS__  // which needs more addresses than these
  limits.insert(limits.end(), {"--as=150000000", "--as=250000000"});
#endif
  for (const std::string& limit : limits) {
    Process limited({"prlimit", limit, program(), "--config", config_});
    const auto ended = limited.wait_for(std::chrono::seconds(3));
    if (ended) {
      EXPECT_LT(*ended, 128) << limit << " ended it by a signal: " << limited.err();
      EXPECT_EQ(*ended == 1 || *ended == 3 || *ended == 127, true) << limit << limited.err();
    } else {
      limited.signal(SIGTERM);
      EXPECT_EQ(limited.wait_for(std::chrono::seconds(10)), 0) << limit << limited.err();
    }
  }
}

TEST_F(Door, SystemdHandsOverItsSockets) {
  const int port = free_port();
  process_ = std::make_unique<Process>(std::vector<std::string>{
      "python3", "-c",
      "import os, socket, sys\n"
      "s = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
      "os.dup2(s.fileno(), 3, inheritable=True)\n"
      "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))\n"
      "os.execv(sys.argv[2], sys.argv[2:])\n",
      std::to_string(port), program(), "--config", config_, "--web.systemd-socket"});
  ASSERT_TRUE(eventually([&] { return process_->err().find("listening") != std::string::npos; }))
      << process_->err();
  EXPECT_EQ(fetch(port, "/-/healthy").status, 200);
  EXPECT_EQ(run({program(), "healthcheck", "--listen", "127.0.0.1:" + std::to_string(port)}).status,
            0);
  const Finished none =
      run({program(), "--config", config_, "--web.systemd-socket", "--listen", ":1"});
  EXPECT_EQ(none.status, 1);
  EXPECT_NE(none.err.find("belongs to another exporter"), std::string::npos) << none.err;
}

TEST_F(Door, SaysWhatAnOperatorMayOverlook) {
  directory_.write("exporter.toml",
                   "listen = \"127.0.0.1:0\"\nstate_dir = \"" + directory_.path() +
                       "\"\n[[server]]\nname = \"a\"\ndsn = \"host=127.0.0.1 port=1"
                       " dbname=x user=x password=${SECRET}\"\n");
  std::filesystem::permissions(config_, std::filesystem::perms(0644));
  start();
  ASSERT_TRUE(eventually([&] {
    return process_->err().find("can be read by everybody on this machine. HINT: chmod o= ") !=
           std::string::npos;
  })) << process_->err();
  EXPECT_NE(process_->err().find("is taken as it is written"), std::string::npos)
      << process_->err();
  EXPECT_EQ(process_->err().find("SECRET"), std::string::npos);
  EXPECT_EQ(process_->err().find("running as root") != std::string::npos, ::geteuid() == 0);
  std::filesystem::permissions(config_, std::filesystem::perms(0600));
  process_->signal(SIGTERM);
  ASSERT_TRUE(process_->wait_for(std::chrono::seconds(10)));
  start();
  EXPECT_EQ(fetch(port_, "/-/healthy").status, 200);
  EXPECT_EQ(process_->err().find("can be read by everybody"), std::string::npos);
}

TEST_F(Door, HealthcheckTellsWhoDoesNotAnswer) {
  const Finished nobody_there =
      run({program(), "healthcheck", "--listen", "127.0.0.1:" + std::to_string(free_port())});
  EXPECT_EQ(nobody_there.status, 1);
  EXPECT_NE(nobody_there.err.find("HINT: "), std::string::npos) << nobody_there.err;
  start();
  const std::string address = "127.0.0.1:" + std::to_string(port_);
  EXPECT_EQ(run({program(), "healthcheck", "--listen", address}).out, "healthy\n");
}

}  // namespace
}  // namespace pg_integrity::test::door_test
