#include "exporter/postgres/login.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <map>
#include <memory>

#include "collectors/base/errors.h"
#include "exporter/config/conninfo.h"
#include "exporter/io/clock.h"
#include "tests/support/cluster.h"
#include "tests/support/failure.h"
#include "tests/support/pgbouncer.h"
#include "tests/support/process.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::login_test {
namespace {

std::string conninfo_for(const std::string& dsn) {
  return completed(dsn, {});
}

SourceError refusal(const std::string& dsn) {
  return failure([&] { log_in(conninfo_for(dsn), SystemClock()); });
}

/// Rules that stand before those of the cluster's own pg_hba.conf.
void allow_only(const Database& database, const std::string& rules) {
  const std::string path = database.cluster().data_directory() + "/pg_hba.conf";
  std::ifstream before(path);
  const std::string rest{std::istreambuf_iterator<char>(before), {}};
  std::ofstream(path) << rules << rest;
  database.cluster().stop();
  database.cluster().start();
  ASSERT_EQ(database.ask("SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL"), "0");
}

/// A TCP port of this machine on which connections are made but nobody answers. With `full`, they
/// are not even made.
class Silence {
 public:
  explicit Silence(bool full = false) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, full ? 0 : 10);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    if (!full) return;
    for (int& waiting : waiting_) {
      waiting = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      ::connect(waiting, reinterpret_cast<sockaddr*>(&address), size);
    }
  }
  ~Silence() {
    for (const int waiting : waiting_)
      if (waiting >= 0) ::close(waiting);
    close();
  }
  void close() {
    if (listener_ >= 0) ::close(listener_);
    listener_ = -1;
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  [[nodiscard]] std::string port() const { return std::to_string(port_); }

 private:
  int listener_;
  int waiting_[3] = {-1, -1, -1};
  int port_ = 0;
};

/// A server whose messages are German.
class German : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string locale = locales_.path() + "/de_DE.UTF-8";
    std::filesystem::permissions(locales_.path(), std::filesystem::perms(0755));
    if (run({"sh", "-c", "localedef -i de_DE -f UTF-8 " + locale}).status != 0)
      GTEST_SKIP() << "this machine cannot make a German locale";
    ::setenv("LOCPATH", locales_.path().c_str(), 1);
    cluster_ = std::make_unique<Cluster>(
        std::map<std::string, std::string>{{"lc_messages", "'de_DE.UTF-8'"}});
    db_ = std::make_unique<Database>(*cluster_);
    if (std::string(refusal(cluster_->dsn("no_such")).what()).find("existiert nicht") ==
        std::string::npos)
      GTEST_SKIP() << "this PostgreSQL has no German messages";
    db_->run(
        "SET password_encryption = 'scram-sha-256';"
        "CREATE ROLE watcher LOGIN PASSWORD 'right'; CREATE ROLE locked NOLOGIN PASSWORD 'right';"
        "CREATE ROLE crowded LOGIN CONNECTION LIMIT 0;");
    allow_only(*db_, "host all watcher,locked all scram-sha-256\nhost " + db_->name() +
                         " banned all reject\n");
  }
  void TearDown() override { ::unsetenv("LOCPATH"); }
  [[nodiscard]] Reason reason(const std::string& database, const std::string& user,
                              const std::string& more = {}) const {
    return refusal(cluster_->dsn(database, user) + more).reason();
  }

  TemporaryDirectory locales_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<Database> db_;
};

TEST_F(German, ServersGiveTheSameReasonsAsEnglishOnes) {
  const std::string& name = db_->name();
  EXPECT_EQ(reason(name, "watcher", " password=wrong"), Reason::auth);
  EXPECT_EQ(reason(name, "watcher"), Reason::auth) << "no password at all";
  EXPECT_EQ(reason(name, "locked", " password=right"), Reason::auth);
  EXPECT_EQ(reason(name, "nobody_such"), Reason::auth);
  EXPECT_EQ(reason(name, "banned"), Reason::auth);
  EXPECT_EQ(reason("no_such", "watcher", " password=right"), Reason::missing);
  EXPECT_EQ(reason(name, "crowded"), Reason::connect);
  EXPECT_EQ(reason(name, "postgres", " sslmode=require"), Reason::tls);
  EXPECT_EQ(reason(name, "postgres", " options='-c no_such_setting=1'"), Reason::config);
  db_->run("REVOKE CONNECT ON DATABASE " + name + " FROM PUBLIC");
  const SourceError denied = refusal(cluster_->dsn(name, "watcher") + " password=right");
  EXPECT_EQ(denied.reason(), Reason::permission);
  EXPECT_NE(std::string(denied.what()).find("keine Berechtigung für Datenbank"), std::string::npos)
      << denied.what();
  EXPECT_NE(std::string(denied.what()).find("SQLSTATE 42501"), std::string::npos);
  EXPECT_NE(std::string(denied.what()).find("`pg_integrity_exporter grants`"), std::string::npos);
}

class Login : public ::testing::Test {
 protected:
  /// Two hosts, the first of which refuses connections.
  [[nodiscard]] std::string second_host(const std::string& user, const std::string& more) const {
    return "host=127.0.0.1,127.0.0.1 port=1," + port() + " dbname=" + db_.name() + " user=" + user +
           " " + more;
  }
  [[nodiscard]] std::string port() const { return std::to_string(cluster_.port()); }

  static bool succeeds(const std::string& dsn) {
    return log_in(conninfo_for(dsn), SystemClock()) != nullptr;
  }

  Cluster cluster_;
  Database db_{cluster_};
};

TEST_F(Login, TheHostThatAnswersGivesTheReasonAndAllHostsTheWords) {
  db_.run("SET password_encryption = 'scram-sha-256'; CREATE ROLE weird LOGIN PASSWORD 'right'");
  allow_only(db_, "host all weird all scram-sha-256\n");
  const SourceError wrong = refusal(second_host("weird", "password=bad"));
  EXPECT_EQ(wrong.reason(), Reason::auth);
  EXPECT_NE(std::string(wrong.what()).find("authentication failed for user \"weird\""),
            std::string::npos);
  EXPECT_NE(std::string(wrong.what()).find("Connection refused"), std::string::npos);
  EXPECT_EQ(std::string(wrong.what()).find('\n'), std::string::npos);
  EXPECT_EQ(refusal("host=127.0.0.1,127.0.0.1 port=1," + port() + " dbname=no_such user=postgres")
                .reason(),
            Reason::missing);
  EXPECT_EQ(refusal("host=127.0.0.1,127.0.0.1 port=1,1 user=postgres dbname=x").reason(),
            Reason::connect);
  EXPECT_TRUE(succeeds(second_host("weird", "password=right")));
  EXPECT_TRUE(succeeds("host=" + cluster_.socket_directory() + ",127.0.0.1 port=1," + port() +
                       " user=postgres dbname=postgres"));
}

TEST_F(Login, AHostThatRefusesTheLoginEndsTheSearch) {
  const std::string wrong_first =
      "host=127.0.0.1,127.0.0.1 port=" + port() + ",1 dbname=no_such user=postgres";
  const SourceError error = refusal(wrong_first);
  EXPECT_EQ(error.reason(), Reason::missing);
  EXPECT_EQ(std::string(error.what()).find("Connection refused"), std::string::npos);
}

TEST_F(Login, AHostThatDoesNotAnswerIsLeftForTheNext) {
  for (const bool full : {false, true}) {
    const Silence silence(full);
    const std::string dsn =
        "port=" + silence.port() + "," + port() + " user=postgres dbname=" + db_.name();
    EXPECT_TRUE(succeeds("host=127.0.0.1,127.0.0.1 " + dsn)) << full;
    const SourceError error =
        refusal("host=127.0.0.1,127.0.0.1 connect_timeout=2 user=x port=" + silence.port() + "," +
                silence.port());
    EXPECT_EQ(error.reason(), full ? Reason::connect : Reason::timeout) << error.what();
  }
}

TEST_F(Login, OurReadOnlyRoleFindsThePrimaryAndTheStandby) {
  db_.run("CREATE ROLE reader LOGIN; ALTER ROLE reader SET default_transaction_read_only = on");
  const Cluster standby(Cluster::StandbyOf{cluster_});
  const std::string ports = port() + "," + std::to_string(standby.port());
  const auto at = [&](const std::string& attributes) {
    const Client client(completed("host=127.0.0.1,127.0.0.1 port=" + ports +
                                      " user=reader dbname=" + db_.name() +
                                      " target_session_attrs=" + attributes,
                                  {}));
    return const_cast<Client&>(client).ask("SELECT pg_is_in_recovery()");
  };
  EXPECT_EQ(at("read-write"), "f");
  EXPECT_EQ(at("primary"), "f");
  EXPECT_EQ(at("read-only"), "t") << "it is not the primary, although our role is read-only there";
  EXPECT_EQ(at("standby"), "t");
  for (const char* attributes : {"read-write", "primary", "read-only", "prefer-standby", "any"})
    EXPECT_TRUE(succeeds("host=127.0.0.1,127.0.0.1 port=" + ports + " user=reader dbname=" +
                         db_.name() + " target_session_attrs=" + attributes))
        << attributes;
  const SourceError none = refusal(second_host("reader", "target_session_attrs=standby"));
  EXPECT_EQ(none.reason(), Reason::connect);
  EXPECT_NE(std::string(none.what()).find("standby"), std::string::npos) << none.what();
}

TEST_F(Login, OneThatHangsIsHungUpOnce) {
  const auto silence = std::make_unique<Silence>();
  auto attempt = std::async(std::launch::async, [&, port = silence->port()] {
    return refusal("host=127.0.0.1 connect_timeout=2 user=x port=" + port).reason();
  });
  EXPECT_EQ(attempt.wait_for(std::chrono::seconds(4)), std::future_status::timeout)
      << "the other side has not let go";
  silence->close();
  EXPECT_EQ(attempt.get(), Reason::timeout);
}

TEST_F(Login, NoticesAreNotPrinted) {
  db_.run("ALTER DATABASE " + db_.name() + " SET role = E'x\\nts=2026 level=error msg=\"forged\"'");
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(succeeds(db_.dsn()));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(Login, AConsoleOfAPoolerIsNoDatabase) {
  const PgBouncer bouncer(cluster_, 1);
  const SourceError error = refusal(bouncer.dsn("pgbouncer"));
  EXPECT_EQ(error.reason(), Reason::config);
  EXPECT_NE(std::string(error.what()).find("HINT: "), std::string::npos);
}

}  // namespace
}  // namespace pg_integrity::test::login_test
