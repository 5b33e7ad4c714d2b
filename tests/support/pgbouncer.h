// A real PgBouncer in front of a cluster, with few server connections for many clients.
#pragma once

#include <memory>
#include <string>

#include "tests/support/cluster.h"

namespace pg_integrity::test {

class PgBouncer {
 public:
  /// @param pool_size the number of server connections per database; 1 means that all clients share
  /// one.
  /// @param mode "transaction", "session" or "statement".
  PgBouncer(const Cluster& cluster, int pool_size, const std::string& mode = "transaction");

  [[nodiscard]] std::string dsn(const std::string& database,
                                const std::string& user = "postgres") const;
  void signal(int number) const { process_->signal(number); }

 private:
  TemporaryDirectory directory_;
  int port_;
  std::unique_ptr<Process> process_;
};

}  // namespace pg_integrity::test
