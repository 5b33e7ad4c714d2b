#include "tests/support/pgbouncer.h"

#include <stdexcept>

#include "tests/support/wait.h"

namespace pg_integrity::test {

PgBouncer::PgBouncer(const Cluster& cluster, int pool_size, const std::string& mode)
    : port_(free_port()) {
  // With "any", PgBouncer logs every client in as the user named here.
  const std::string config = directory_.write(
      "pgbouncer.ini",
      "[databases]\n* = host=127.0.0.1 user=postgres port=" + std::to_string(cluster.port()) +
          "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " + std::to_string(port_) +
          "\nunix_socket_dir =\nauth_type = any\npool_mode = " + mode +
          "\ndefault_pool_size = " + std::to_string(pool_size) + "\n");
  process_ = std::make_unique<Process>(std::vector<std::string>{"pgbouncer", config},
                                       ProcessOptions{{}, {}, true});
  const bool up = eventually([&] {
    try {
      return Client(dsn("postgres")).ask("SELECT 1") == "1";
    } catch (const std::exception&) {
      return false;
    }
  });
  if (!up) throw std::runtime_error("PgBouncer does not answer: " + process_->err());
}

std::string PgBouncer::dsn(const std::string& database, const std::string& user) const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " user=" + user + " dbname=" + database;
}

}  // namespace pg_integrity::test
