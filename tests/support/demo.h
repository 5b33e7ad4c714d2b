// The demo's database in a cluster of its own, loaded as in the quickstart, and the demo's API.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/support/cluster.h"
#include "tests/support/process.h"

namespace pg_integrity::test {

struct Demo {
  /// @param settings of the server; they are added to postgresql.conf.
  explicit Demo(const std::map<std::string, std::string>& settings = {});

  /// The environment in which the demo's configuration finds its database, with the role of least
  /// privilege.
  [[nodiscard]] ProcessOptions environment() const;
  /// The demo's configuration, with the address of the API but without the address that it listens
  /// on.
  [[nodiscard]] std::string configuration() const;

  Cluster cluster;
  Database database{cluster, "tovplay"};

 private:
  std::unique_ptr<Process> api_;
  std::string api_address_;
};

}  // namespace pg_integrity::test
