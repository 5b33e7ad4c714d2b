// A real PostgreSQL for a test. It is a throwaway cluster on a free port of 127.0.0.1, with a
// socket in its own directory. It runs as an unprivileged user, and is removed with the object.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test {

class Cluster {
 public:
  /// @param settings lines that are added to postgresql.conf.
  explicit Cluster(const std::map<std::string, std::string>& settings = {});
  /// Selects a streaming standby of that cluster. It is in step once it has started.
  struct StandbyOf {
    const Cluster& primary;
  };
  explicit Cluster(StandbyOf of, const std::map<std::string, std::string>& settings = {});
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// The cluster that the tests of one program share. Its superuser is postgres, without a password
  /// from this machine.
  static Cluster& shared();

  void start();
  /// @param mode "fast" or "immediate", as for pg_ctl.
  void stop(const std::string& mode = "fast");
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] const std::string& socket_directory() const { return directory_.path(); }
  [[nodiscard]] std::string data_directory() const { return directory_.path() + "/data"; }
  [[nodiscard]] pid_t postmaster_pid() const { return server_->pid(); }
  /// The server's major version.
  [[nodiscard]] int major() const;

  /// A connection string over TCP.
  [[nodiscard]] std::string dsn(const std::string& database,
                                const std::string& user = "postgres") const;
  /// The directory of PostgreSQL's programs. It is PG_INTEGRITY_POSTGRES_BIN, or the newest one of
  /// Debian.
  static const std::string& programs();

 private:
  /// Adds settings to postgresql.conf, where the last setting of a name counts.
  void configure(const std::map<std::string, std::string>& settings) const;

  TemporaryDirectory directory_;
  int port_;
  std::unique_ptr<Process> server_;  ///< while it runs
};

/// A database in a cluster that belongs to one test and is dropped with the object. SQL runs as
/// superuser.
class Database {
 public:
  explicit Database(Cluster& cluster = Cluster::shared(), const std::string& name = {},
                    const std::string& options = {});
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Cluster& cluster() const { return cluster_; }
  [[nodiscard]] std::string dsn(const std::string& user = "postgres") const {
    return cluster_.dsn(name_, user);
  }
  /// Runs statements. Throws with the server's message if one fails.
  void run(const std::string& sql) const;
  /// The first column of the first row, as text. Empty if there is no row.
  [[nodiscard]] std::string ask(const std::string& sql) const;
  /// Runs a file with psql.
  void run_file(const std::string& path) const;

 private:
  Cluster& cluster_;
  std::string name_;
};

/// A session that the test keeps open, for transactions and locks.
class Client {
 public:
  explicit Client(const std::string& dsn);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void run(const std::string& sql);
  std::string ask(const std::string& sql);

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace pg_integrity::test
