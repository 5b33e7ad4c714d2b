// Base backups of a test's cluster, made by the real pg_basebackup.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/cluster.h"

namespace pg_integrity::test {

/// @param options further options of pg_basebackup.
inline void take_base_backup(const Cluster& cluster, const std::string& path,
                             const std::vector<std::string>& options = {}) {
  std::vector<std::string> command{Cluster::programs() + "/pg_basebackup",
                                   "-D",
                                   path,
                                   "-d",
                                   cluster.dsn("postgres"),
                                   "-c",
                                   "fast",
                                   "--no-sync"};
  command.insert(command.end(), options.begin(), options.end());
  const Finished finished = run(command);
  if (finished.status != 0) throw std::runtime_error("pg_basebackup: " + finished.err);
}

}  // namespace pg_integrity::test
