// The report's database in a cluster of its own, loaded as the quickstart does, and its API.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/support/cluster.h"
#include "tests/support/process.h"

namespace pg_integrity::test {

struct Demo {
  /// @param settings of the server, added to postgresql.conf.
  explicit Demo(const std::map<std::string, std::string>& settings = {});

  /// The environment in which the demo's configuration finds its database, as the least role.
  [[nodiscard]] ProcessOptions environment() const;
  /// The demo's configuration without the address that it listens on, with that of the API.
  [[nodiscard]] std::string configuration() const;

  Cluster cluster;
  Database database{cluster, "tovplay"};

 private:
  std::unique_ptr<Process> api_;
  std::string api_address_;
};

}  // namespace pg_integrity::test
