// The report's database in a cluster of its own, loaded as the quickstart does.
#pragma once

#include <string>

#include "tests/support/cluster.h"
#include "tests/support/process.h"

namespace pg_integrity::test {

struct Demo {
  Demo();

  /// The environment in which the demo's configuration finds its database, as the least role.
  [[nodiscard]] ProcessOptions environment() const;
  /// The demo's configuration without the address that it listens on.
  static std::string configuration();

  Cluster cluster;
  Database database{cluster, "tovplay"};
};

}  // namespace pg_integrity::test
