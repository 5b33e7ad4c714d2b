#include "tests/support/cluster.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <pqxx/pqxx>
#include <stdexcept>

#include "tests/support/wait.h"

namespace pg_integrity::test {

namespace {

const ProcessOptions kUnprivileged{{}, {}, true};

void must(const Finished& finished, const std::string& what) {
  if (finished.status != 0)
    throw std::runtime_error(what + " failed: " + finished.out + finished.err);
}

std::string first_cell(const pqxx::result& result) {
  if (result.empty() || result[0][0].is_null()) return {};
  return result[0][0].c_str();
}

/// A value of a connection string, quoted if needed.
std::string dsn_value(const std::string& value) {
  const bool plain = std::all_of(value.begin(), value.end(),
                                 [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
  if (plain) return value;
  std::string quoted = "'";
  for (const char c : value)
    quoted += (c == '\'' || c == '\\') ? std::string("\\") + c : std::string(1, c);
  return quoted + "'";
}

}  // namespace

const std::string& Cluster::programs() {
  static const std::string chosen = [] {
    if (const char* named = std::getenv("PG_INTEGRITY_POSTGRES_BIN")) return std::string(named);
    int best = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql"))
      best = std::max(best, std::atoi(entry.path().filename().c_str()));
    return "/usr/lib/postgresql/" + std::to_string(best) + "/bin";
  }();
  return chosen;
}

Cluster::Cluster(const std::map<std::string, std::string>& settings) : port_(free_port()) {
  if (::geteuid() == 0) must(test::run({"chown", "postgres:", directory_.path()}), "chown");
  must(test::run({programs() + "/initdb", "-D", data_directory(), "-U", "postgres", "-A", "trust",
                  "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"},
                 kUnprivileged),
       "initdb");
  configure(settings);
  start();
}

Cluster::Cluster(StandbyOf of, const std::map<std::string, std::string>& settings)
    : port_(free_port()) {
  if (::geteuid() == 0) must(test::run({"chown", "postgres:", directory_.path()}), "chown");
  must(test::run({programs() + "/pg_basebackup", "-D", data_directory(), "-d",
                  of.primary.dsn("postgres"), "-R", "-c", "fast", "--no-sync"},
                 kUnprivileged),
       "pg_basebackup");
  configure(settings);
  start();
}

void Cluster::configure(const std::map<std::string, std::string>& settings) const {
  std::ofstream conf(data_directory() + "/postgresql.conf", std::ios::app);
  conf << "listen_addresses = '127.0.0.1'\nport = " << port_ << "\nunix_socket_directories = '"
       << directory_.path()
       << "'\nautovacuum = off\nmax_connections = 40\nmax_prepared_transactions = 5\n";
  for (const auto& [name, value] : settings) conf << name << " = " << value << "\n";
}

Cluster::~Cluster() {
  if (!server_) return;
  server_->signal(SIGCONT);
  stop("immediate");
}

Cluster& Cluster::shared() {
  static Cluster cluster({{"shared_preload_libraries", "'pg_stat_statements'"},
                          {"track_activity_query_size", "8192"}});
  return cluster;
}

void Cluster::start() {
  server_ = std::make_unique<Process>(
      std::vector<std::string>{programs() + "/postgres", "-D", data_directory()},
      ProcessOptions{{}, {}, true});
  const bool up = eventually([&] {
    try {
      return Client(dsn("postgres")).ask("SELECT 1") == "1";
    } catch (const std::exception&) {
      return !server_->running();
    }
  });
  if (!up || !server_->running())
    throw std::runtime_error("the server does not start: " + server_->err());
}

void Cluster::stop(const std::string& mode) {
  server_->signal(mode == "immediate" ? SIGQUIT : SIGINT);
  if (!server_->wait_for(std::chrono::seconds(60)))
    throw std::runtime_error("the server does not stop: " + server_->err());
  server_.reset();
}

int Cluster::major() const {
  std::ifstream file(data_directory() + "/PG_VERSION");
  int version = 0;
  file >> version;
  return version;
}

std::string Cluster::dsn(const std::string& database, const std::string& user) const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " user=" + user +
         " dbname=" + dsn_value(database);
}

Database::Database(Cluster& cluster, const std::string& name, const std::string& options)
    : cluster_(cluster), name_(name) {
  static int number = 0;
  if (name_.empty()) name_ = "test_" + std::to_string(++number);
  Client(cluster.dsn("postgres"))
      .run("CREATE DATABASE " + pqxx::connection(cluster.dsn("postgres")).quote_name(name_) + " " +
           options);
}

Database::~Database() {
  try {
    pqxx::connection connection(cluster_.dsn("postgres"));
    pqxx::nontransaction work(connection);
    work.exec("DROP DATABASE IF EXISTS " + connection.quote_name(name_) + " WITH (FORCE)");
  } catch (const std::exception&) {
    // The cluster may be stopped. Its directory is removed as a whole.
  }
}

void Database::run(const std::string& sql) const {
  Client(dsn()).run(sql);
}

std::string Database::ask(const std::string& sql) const {
  return Client(dsn()).ask(sql);
}

void Database::run_file(const std::string& path) const {
  must(test::run({"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", dsn(), "-f", path}), path);
}

struct Client::Connection {
  explicit Connection(const std::string& dsn) : connection(dsn) {}
  pqxx::connection connection;
};

Client::Client(const std::string& dsn) : connection_(std::make_unique<Connection>(dsn)) {}

Client::~Client() = default;

void Client::run(const std::string& sql) {
  pqxx::nontransaction work(connection_->connection);
  work.exec(sql);
}

std::string Client::ask(const std::string& sql) {
  pqxx::nontransaction work(connection_->connection);
  return first_cell(work.exec(sql));
}

}  // namespace pg_integrity::test
