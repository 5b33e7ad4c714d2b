// A real PgBouncer in transaction mode before a cluster: few server connections, many clients.
#pragma once

#include <memory>
#include <string>

#include "tests/support/cluster.h"

namespace pg_integrity::test {

class PgBouncer {
 public:
  /// @param pool_size server connections a database; 1: everybody shares one.
  PgBouncer(const Cluster& cluster, int pool_size);

  [[nodiscard]] std::string dsn(const std::string& database,
                                const std::string& user = "postgres") const;
  void signal(int number) const { process_->signal(number); }

 private:
  TemporaryDirectory directory_;
  int port_;
  std::unique_ptr<Process> process_;
};

}  // namespace pg_integrity::test
